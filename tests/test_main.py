"""The command line on all kinds of machine: bare, too old, offline, full, read-only, interrupted, ready."""

import ast
import errno
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest
import typer.main

from numba_course import __main__, exercises
from numba_course.exercises.verdict import Verdict
from numba_course.workbook import cli, commands, environment
from numba_course.workbook.environment import ROOT, Trouble

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OLD_PYTHONS = [f"python{version}" for version in ("2.7", "3.5", "3.6", "3.7", "3.8", "3.9", "3.10")]
OFFLINE = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0"}
RIGHT = "from numba import njit\n\n\n@njit\ndef double(values):\n    return 2 * values\n"


@pytest.fixture
def checkout(tmp_path):
    """A copy of what a fresh checkout needs to install itself."""
    root = tmp_path / "a checkout"
    shutil.copytree(
        ROOT / "numba_course", root / "numba_course", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("pyproject.toml", "constraints.txt", "README.md", "LICENSE", "LICENSE-TEXT"):
        shutil.copy(ROOT / name, root)
    return root.resolve()


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


def bare(root, *arguments, code="from numba_course.__main__ import main", **variables):
    """Run the command line in an interpreter without any package, on a machine without a network."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    start = f"import sys; sys.argv[0] = 'numba_course'; {code}; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-S", "-c", start, *arguments],
        cwd=root,
        env=kept | OFFLINE | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
    )


def sentence(result):
    """The one line of complaint of a command that failed without a traceback."""
    assert result.returncode == 1
    lines = result.stderr.splitlines()
    assert len(lines) == 1
    return lines[0]


def files(root):
    """Every file below `root` with its size and time of change."""
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in root.rglob("*")}


# Help


def test_bare_machine_shows_the_help_of_every_command_and_installs_nothing(checkout):
    before = files(checkout).keys()
    shown = bare(checkout, "--help", PYTHONDONTWRITEBYTECODE="1")
    assert shown.returncode == 0
    for name, command in commands.COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(command.summary)}$", shown.stdout, re.MULTILINE)
        details = bare(checkout, name, "--help", PYTHONDONTWRITEBYTECODE="1")
        assert details.returncode == 0
        for text in (*command.arguments, *command.arguments.values(), *command.text.split()):
            assert text in details.stdout
    assert files(checkout).keys() == before


def test_program_is_named_as_it_was_called(checkout):
    script = Path(sysconfig.get_path("scripts")) / "numba-course"
    for arguments in (["--help"], ["hint", "--help"], ["progress", "/nowhere"], ["hint"]):
        called = subprocess.run([script, *arguments], capture_output=True, text=True)
        assert "numba-course" in (said := called.stdout + called.stderr) and "python3 -m" not in said
        assert "python3 -m numba_course" in (shown := bare(ROOT, *arguments)).stdout + shown.stderr


def test_without_arguments_the_help_is_shown(capsys):
    assert environment.main([]) == 0
    assert capsys.readouterr().out == commands.overview() + "\n"


def test_every_command_says_what_it_does_with_an_example():
    for name, command in commands.COMMANDS.items():
        assert f"Example: python3 -m numba_course {name} " in command.text


def test_commands_and_their_arguments_are_those_described():
    group = typer.main.get_command(cli.app)
    found = {
        name: {p.metavar or p.opts[0]: p.help for p in command.params if p.name != "help"}
        for name, command in group.commands.items()
    }
    assert found == {name: command.arguments for name, command in commands.COMMANDS.items()}


def test_help_with_an_environment_gives_the_same_texts(capsys):
    for name, command in commands.COMMANDS.items():
        assert environment.main([name, "--help"]) == 0
        shown = " ".join(capsys.readouterr().out.split())
        assert " ".join(command.text.split()) in shown  # with its brackets, which are no markup


@pytest.mark.parametrize("arguments", [["--help"], ["verify", "--help"], ["progress", "FOLDER"]])
def test_help_and_progress_wait_for_nothing_heavy(tmp_path, arguments):
    (tmp_path / "progress.jsonl").touch()
    heavy = "{'numba', 'numpy', 'matplotlib', 'scipy', 'hypothesis', 'IPython', 'jupyterlab', 'jupytext', 'nbformat'}"
    code = f"import sys; from numba_course.__main__ import main; main(); print({heavy} & set(sys.modules))"
    arguments = [str(tmp_path) if word == "FOLDER" else word for word in arguments]
    command = [sys.executable, "-c", code, *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    assert result.stdout.splitlines()[-1] == "set()"
    assert len(result.stdout.splitlines()) > 5


def test_unknown_command_gets_a_suggestion_and_installs_nothing(checkout):
    result = bare(checkout, "strat")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "numba_course: there is no command strat; did you mean start?\n"
    assert not (checkout / ".venv").exists()


# Python itself


def test_supported_pythons_are_those_of_pyproject():
    lowest, beyond = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()
    assert (3, int(lowest)) == __main__.OLDEST
    assert (3, int(beyond) - 1) == __main__.NEWEST


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 8, 18), (3, 10, 13), (3, 15, 0)])
def test_unsupported_python_gets_one_sentence(version, monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", version)
    assert __main__.main() == 1
    said = f"numba_course needs Python 3.11 to 3.14; this is Python {version[0]}.{version[1]}.\n"
    assert capsys.readouterr().err == said


def test_old_python_reads_as_far_as_the_sentence():
    for name in filter(works, OLD_PYTHONS):
        command = [name, "-B", "-m", "numba_course", "start"]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
        version = name.removeprefix("python")
        assert sentence(result) == f"numba_course needs Python 3.11 to 3.14; this is Python {version}."
    if not any(map(works, OLD_PYTHONS)):
        pytest.skip("there is no old Python on this machine")


def works(python):
    """Whether there is such an interpreter."""
    return shutil.which(python) and not subprocess.run([python, "--version"], capture_output=True).returncode


def test_what_an_old_python_reads_is_old_syntax():
    new = (
        ast.JoinedStr,
        ast.NamedExpr,
        ast.AnnAssign,
        ast.Match,
        ast.AsyncFunctionDef,
        ast.Nonlocal,
        ast.Starred,
    )
    for name in ("__init__.py", "__main__.py"):
        text = (ROOT / "numba_course" / name).read_text(encoding="utf-8")
        assert text.isascii(), name
        for node in ast.walk(ast.parse(text)):
            assert not isinstance(node, new), f"{name}:{node.lineno}"
            assert not getattr(node, "returns", None) and not getattr(node, "annotation", None), name


def test_python_without_venv_gets_one_sentence(checkout):
    code = "sys.modules['ensurepip'] = None; from numba_course.__main__ import main"
    assert "this Python has no venv module; install it" in sentence(bare(checkout, "start", code=code))
    assert not (checkout / ".venv").exists()


# Installing


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
        "--no-input",
        "--progress-bar=off",
        "--disable-pip-version-check",
        *([] if told_to_write_none else ["--no-compile"]),
        "-c",
        "constraints.txt",
        "-e",
        ".[test,teach,scale]",
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


def test_interpreter_that_has_everything_is_used_as_it_is(installer):
    environment.enter(ROOT, ["test"], ("test",))
    assert installer.ran == installer.handed_over == []


def test_install_of_another_checkout_does_not_count(checkout, monkeypatch):
    monkeypatch.setattr(sys, "path", [folder for folder in sys.path if Path(folder).resolve() != ROOT])
    assert environment.satisfied(ROOT, ("test",))
    assert not environment.satisfied(checkout, ())


@pytest.mark.parametrize(
    ("version", "met"),
    [
        ("1.9.3", False),
        ("2", True),
        ("2.0rc1", True),
        ("2.10.1", True),
        ("3", False),
        ("3.0", False),
        (None, False),
    ],
)
def test_requirement_is_compared_with_the_installed_version(tmp_path, version, met):
    if version:
        folder = tmp_path / f"some_thing-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Name: some-thing\nVersion: {version}\n", encoding="utf-8")
    assert environment.met("some-thing>=2,<3", [str(tmp_path)]) is met


def test_every_requirement_can_be_compared():
    extras = PROJECT["optional-dependencies"]
    for requirement in [*PROJECT["dependencies"], *(line for extra in extras.values() for line in extra)]:
        assert environment.met(requirement, []) is False
    for command in commands.COMMANDS.values():
        assert set(command.extras) <= extras.keys()


def test_offline_machine_gets_one_sentence_and_the_log(checkout):
    said = sentence(bare(checkout, "start"))
    log = checkout / ".venv" / environment.LOG
    assert "the packages cannot be fetched: check the network" in said
    assert "No matching distribution found" in said
    assert str(log) in said
    assert "No matching distribution found" in log.read_text(encoding="utf-8")


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


def test_read_only_checkout_gets_one_sentence(checkout):
    if getattr(os, "geteuid", lambda: 0)() == 0:
        pytest.skip("this user may write everywhere")
    checkout.chmod(0o555)
    try:
        said = sentence(bare(checkout, "start"))
    finally:
        checkout.chmod(0o755)
    assert "this folder cannot be written to" in said
    assert str(checkout / ".venv") in said


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


def test_interruption_ends_without_a_traceback(monkeypatch, capsys):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(environment, "enter", interrupt)
    try:
        assert environment.main(["start"]) == 130
    except KeyboardInterrupt:
        pytest.fail("the interruption went through")
    assert "Traceback" not in capsys.readouterr().err


# test and build


@pytest.mark.parametrize("told_to_write_none", [False, True])
def test_test_runs_pytest_in_the_checkout_with_further_arguments(monkeypatch, told_to_write_none):
    handed = []
    monkeypatch.setattr(cli, "hand_over", lambda *how: handed.append(how))
    monkeypatch.setattr(sys, "dont_write_bytecode", told_to_write_none)
    variables = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(ROOT / ".bytecode")}
    variables = variables if told_to_write_none else {}
    for arguments in (["test"], ["test", "--", "-k", "folder"], ["test", "-x", "tests/test_start.py"]):
        cli.run(arguments)
    pytest_command = [sys.executable, "-m", "pytest", "-n", cli.PROCESSES]
    assert handed == [
        (pytest_command, ROOT, variables),
        ([*pytest_command, "-k", "folder"], ROOT, variables),
        ([*pytest_command, "-x", "tests/test_start.py"], ROOT, variables),
    ]


@pytest.mark.parametrize("command", ["test", "build"])
def test_without_a_checkout_test_and_build_say_so(monkeypatch, tmp_path, capsys, command):
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(cli, "ROOT", tmp_path)
    monkeypatch.setattr(cli, "hand_over", lambda *command, **how: pytest.fail("it ran"))
    assert environment.main([command]) == 1
    assert (
        capsys.readouterr().err
        == f"numba_course: {command} needs a checkout of the course; this is an installed package.\n"
    )


def test_build_passes_its_arguments_and_its_exit_code(monkeypatch):
    from numba_course.workbook import build

    seen = []

    def build_all(chapters, check):
        seen.append((chapters, check))
        return 1 if check else 0

    monkeypatch.setattr(build, "build_all", build_all)
    assert cli.run(["build", "07_prange", "00_start_here"]) == 0
    assert cli.run(["build", "--check"]) == 1
    assert seen == [(["07_prange", "00_start_here"], False), (None, True)]


# check


@pytest.fixture
def answer(tmp_path, monkeypatch):
    """Writes an answer file in the learner's folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))

    def write(text):
        path = tmp_path / "answers.py"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_check_of_a_right_answer_ends_with_0(answer, capsys):
    assert cli.run(["check", "double", answer(RIGHT)]) == 0
    assert capsys.readouterr().out.startswith("✓ double: correct\n")


def test_check_of_a_wrong_answer_ends_with_1_and_shows_the_finding(answer, capsys):
    assert cli.run(["check", "double", answer(RIGHT.replace("2 *", "3 *"))]) == 1
    shown = capsys.readouterr().out
    assert shown.startswith("✗ double: wrong\n")
    assert "[1.5]" in shown


@pytest.mark.parametrize("folder", [".", "numba-course"])  # the current one, and that in the home
def test_check_from_a_terminal_records_progress_where_there_is_a_record(answer, tmp_path, folder):
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / "progress.jsonl").touch()
    command = [sys.executable, "-m", "numba_course", "check", "double", answer(RIGHT)]
    subprocess.run(command, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    assert '"double", "status": "correct"' in (tmp_path / folder / "progress.jsonl").read_text(
        encoding="utf-8"
    )


def test_check_of_our_bug_ends_with_3(answer, monkeypatch, capsys):
    class Broken:
        name = "double"

        def examine_file(self, path):
            return Verdict("double", "our bug")

    monkeypatch.setattr(exercises, "get", lambda name: Broken())
    assert cli.run(["check", "double", answer(RIGHT)]) == 3


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("duoble", RIGHT, "did you mean double"),
        ("xyz", RIGHT, "there is no exercise xyz; progress lists them all"),
        ("double", None, "cannot be read"),
        ("double", "x = 1\n", "defines no function double"),
    ],
)
def test_check_of_nothing_ends_with_2_and_says_what_is_missing(answer, capsys, name, text, said):
    file = answer(text) if text else "nowhere.py"
    assert cli.run(["check", name, file]) == 2
    assert said in " ".join(re.sub("[│╭╮╰╯─]", " ", capsys.readouterr().err).split())
