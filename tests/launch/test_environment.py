"""The environment that the course runs in: made once, kept, mended, never taken from somebody else."""

import errno
import json
import os
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path

import pytest

from numba_course.host import ROOT, Trouble
from numba_course.launch import cli, environment

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture
def installer(monkeypatch):
    """Stands for venv and pip, which need minutes and a network: records what is run."""

    class Installer:
        def __init__(self):
            self.ran, self.handed_over, self.fault = [], [], None

        def watch(self, command, title, log, directory):
            self.ran.append(command[1:])
            if command[1:3] == ["-m", "venv"]:
                python = environment.python_of(Path(command[3]))
                python.parent.mkdir(parents=True)
                python.touch()
            elif self.fault:
                raise self.fault

    installer = Installer()
    monkeypatch.setattr(environment, "_watch", installer.watch)
    monkeypatch.setattr(environment, "hand_over", installer.handed_over.append)
    return installer


def files(root):
    """Every file below `root` with its size and time of change."""
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in root.rglob("*")}


@pytest.mark.parametrize("told_to_write_none", [False, True])
def test_first_run_makes_the_environment_and_runs_the_command_there(
    checkout, installer, monkeypatch, told_to_write_none
):
    monkeypatch.setattr(sys, "dont_write_bytecode", told_to_write_none)
    environment.enter(checkout, ["test", "--", "-k", "x"], ("test",))
    venv = checkout / ".venv"
    python = str(environment.python_of(venv))
    pip = [
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar=off",
        *([] if told_to_write_none else ["--no-compile"]),
        "-c",
        "constraints.txt",
        "-e",
        environment.WHOLE,
    ]
    assert installer.ran == [["-m", "venv", str(venv)], pip]
    assert installer.handed_over == [[python, "-m", "numba_course", "test", "--", "-k", "x"]]


def test_second_run_installs_and_changes_nothing(checkout, installer):
    environment.enter(checkout, ["start"], ())
    before = files(checkout)
    installer.ran.clear()
    environment.enter(checkout, ["start"], ())
    assert installer.ran == []
    assert len(installer.handed_over) == 2
    assert files(checkout) == before


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_changed_requirements_are_installed_into_the_same_environment(checkout, installer, name):
    environment.enter(checkout, ["start"], ())
    installer.ran.clear()
    kept = checkout / ".venv" / "kept"
    kept.touch()
    with open(checkout / name, "a", encoding="utf-8") as file:
        file.write("# changed\n")
    environment.enter(checkout, ["start"], ())
    assert [command[1] for command in installer.ran] == ["pip"]
    assert kept.exists()
    installer.ran.clear()
    environment.enter(checkout, ["start"], ())
    assert installer.ran == []


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), Trouble("pip failed")])
def test_interrupted_install_is_made_anew(checkout, installer, fault):
    installer.fault = fault
    with pytest.raises(type(fault)):
        environment.enter(checkout, ["start"], ())
    half = checkout / ".venv" / "half"
    half.touch()
    installer.fault = None
    installer.ran.clear()
    environment.enter(checkout, ["start"], ())
    assert [command[1] for command in installer.ran] == ["venv", "pip"]
    assert not half.exists()


def test_interrupted_update_is_made_anew(checkout, installer):
    environment.enter(checkout, ["start"], ())
    (checkout / "constraints.txt").write_text("", encoding="utf-8")
    installer.fault = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        environment.enter(checkout, ["start"], ())
    installer.fault = None
    installer.ran.clear()
    environment.enter(checkout, ["start"], ())
    assert [command[1] for command in installer.ran] == ["venv", "pip"]


def test_environment_whose_interpreter_is_gone_is_made_anew(checkout, installer):
    environment.enter(checkout, ["start"], ())
    environment.python_of(checkout / ".venv").unlink()
    installer.ran.clear()
    environment.enter(checkout, ["start"], ())
    assert [command[1] for command in installer.ran] == ["venv", "pip"]


def test_environment_of_somebody_else_is_never_changed(checkout, installer):
    python = environment.python_of(checkout / ".venv")
    python.parent.mkdir(parents=True)
    with pytest.raises(Trouble, match="was not made by this command"):
        environment.enter(checkout, ["start"], ())
    python.touch()
    environment.enter(checkout, ["start"], ())
    assert installer.handed_over == [[str(python), "-m", "numba_course", "start"]]
    assert installer.ran == []


def test_one_process_at_a_time_installs(checkout, installer, capsys):
    fcntl = pytest.importorskip("fcntl")
    other = threading.Thread(target=environment.enter, args=(checkout, ["start"], ()))
    with open(checkout / "pyproject.toml", "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        other.start()
        while other.is_alive() and "Another process is installing" not in capsys.readouterr().out:
            time.sleep(0.01)
        assert installer.ran == []
        python = environment.python_of(checkout / ".venv")
        python.parent.mkdir(parents=True)
        python.touch()
        (checkout / ".venv" / environment.STAMP).write_text(environment.fingerprint(checkout))
    other.join()
    assert installer.ran == []
    assert installer.handed_over == [[str(python), "-m", "numba_course", "start"]]


def test_interpreter_that_has_everything_is_used_as_it_is(installer):
    environment.enter(ROOT, ["test"], ("test",))
    assert installer.ran == installer.handed_over == []


def test_install_of_another_checkout_does_not_count(checkout, monkeypatch):
    monkeypatch.setattr(sys, "path", [folder for folder in sys.path if Path(folder).resolve() != ROOT])
    assert environment.satisfied(ROOT, environment.EXTRAS)
    assert not environment.satisfied(checkout, ())


def test_installed_checkout_is_known_beside_what_a_build_left_in_it(checkout, tmp_path, monkeypatch):
    installed, left = tmp_path / "site" / "numba_course-1.dist-info", checkout / "numba_course.egg-info"
    for folder, name in ((installed, "METADATA"), (left, "PKG-INFO")):
        folder.mkdir(parents=True)
        (folder / name).write_text("Name: numba-course\nVersion: 1\n", encoding="utf-8")
    (installed / "direct_url.json").write_text(json.dumps({"url": checkout.as_uri()}), encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(checkout), str(installed.parent), *sys.path])
    assert environment.satisfied(checkout, ())


def test_extras_that_commands_need_are_installed():
    assert {*environment.EXTRAS} <= PROJECT["optional-dependencies"].keys()
    for name, command in cli.COMMANDS.items():
        assert {*command.extras} <= {*environment.EXTRAS}, name


def run_instead(monkeypatch, output):
    """Let a program that prints `output` and fails run in the place of pip."""
    popen = subprocess.Popen
    failing = [sys.executable, "-c", f"print({output!r}); raise SystemExit(1)"]
    monkeypatch.setattr(environment.subprocess, "Popen", lambda command, **how: popen(failing, **how))


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "disk is full",
        ),
        ("Retrying after connection broken by 'NewConnectionError'\nERROR: no match", "check the network"),
        (
            "error: x\nERROR: requires a different Python\nbye",
            "could not be installed (requires a different Python;",
        ),
        ("Segmentation fault", "could not be installed (Segmentation fault;"),
        ("", "could not be installed (;"),
    ],
)
def test_failed_install_gets_one_sentence(checkout, monkeypatch, output, said):
    run_instead(monkeypatch, output)
    with pytest.raises(Trouble) as trouble:
        environment.install(checkout, checkout / ".venv")
    assert said in str(trouble.value)
    assert str(checkout / ".venv" / environment.LOG) in str(trouble.value)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EROFS, "cannot be written to"),
        (errno.EIO, os.strerror(errno.EIO)),
    ],
)
def test_folder_that_takes_no_files_gets_one_sentence(checkout, monkeypatch, number, said):
    def fail(venv, text):
        raise OSError(number, os.strerror(number), str(venv))

    monkeypatch.setattr(environment, "_mark", fail)
    with pytest.raises(Trouble) as trouble:
        environment.install(checkout, checkout / ".venv")
    assert said in str(trouble.value)
    assert str(checkout / ".venv") in str(trouble.value)


def test_progress_is_readable_without_a_terminal(capsys):
    shown = environment._show("installing", "Collecting numba", 5.1, 0.0)
    assert environment._show("installing", "Collecting numpy", 6.0, shown) == shown
    assert capsys.readouterr().out == "installing (5 s): Collecting numba\n"


@pytest.mark.parametrize(
    ("output", "step"),
    [
        ("", "starting"),
        ("Collecting numba<0.69 (from x)\n  Using cached numba.whl\n", "Collecting numba<0.69 (from x)"),
        ("Collecting numba\n  Downloading numba-0.68.whl (3.8 MB)\n", "Downloading numba-0.68.whl (3.8 MB)"),
        ("Collecting a\nInstalling collected packages: a, b, c\n", "unpacking 3 packages"),
    ],
)
def test_step_of_pip(output, step):
    assert environment._step(output) == step
