"""The learner's copy: what is copied, what is never overwritten, and how JupyterLab is asked to open it."""

import errno
import json
import os
import sys
from pathlib import Path

import jupyterlab.commands
import nbformat
import pytest

from numba_course.workbook import cli, start
from numba_course.workbook.environment import ROOT, Trouble

CODE = {"cell_type": "code", "id": "a", "metadata": {"tags": ["x"]}, "source": "1 + 1", "execution_count": 7}
STORED = {"output_type": "execute_result", "execution_count": 7, "metadata": {}, "data": {"text/plain": "2"}}
TEXT = {"cell_type": "markdown", "id": "b", "metadata": {}, "source": "# Über π"}


@pytest.fixture
def source(tmp_path):
    """A folder with two executed notebooks, a text and solutions."""
    folder = tmp_path / "notebooks"
    (folder / "source").mkdir(parents=True)
    for name in ("00_start_here", "07_prange"):
        cells = [TEXT, CODE | {"outputs": [STORED]}]
        notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
        (folder / "source" / f"{name}.md").write_text("text", encoding="utf-8")
    return folder


@pytest.fixture
def handed(monkeypatch):
    """What `start` hands over to, instead of becoming JupyterLab."""
    seen = []
    monkeypatch.setattr(start, "hand_over", lambda command, variables: seen.append((command, variables)))
    return seen


def content(folder):
    """Every file of a folder with its text and time of change."""
    return {
        path.name: (path.read_text(encoding="utf-8"), path.stat().st_mtime_ns)
        for path in folder.iterdir()
        if path.is_file()
    }


def test_notebooks_are_copied_without_outputs_and_nothing_else_is(source, tmp_path):
    folder = tmp_path / "Zoë Ōta" / "my course"
    assert start.prepare(source, folder) == start.Copies(("00_start_here.ipynb", "07_prange.ipynb"), ())
    assert sorted(path.name for path in folder.iterdir()) == [
        "00_start_here.ipynb",
        "07_prange.ipynb",
        "progress.json",
    ]
    text, code = nbformat.read(folder / "07_prange.ipynb", as_version=4)["cells"]
    assert text == TEXT
    assert code == CODE | {"outputs": [], "execution_count": None}
    assert "Über π" in (folder / "07_prange.ipynb").read_text(encoding="utf-8")
    assert json.loads((folder / "progress.json").read_text(encoding="utf-8")) == {}


def test_work_of_the_learner_is_never_overwritten(source, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "07_prange.ipynb").write_text("my work", encoding="utf-8")
    (folder / "progress.json").write_text('{"double": "correct"}', encoding="utf-8")
    before = content(folder)
    assert start.prepare(source, folder) == start.Copies(("00_start_here.ipynb",), ("07_prange.ipynb",))
    assert before.items() <= content(folder).items()


def test_second_start_changes_nothing(source, tmp_path):
    folder = tmp_path / "mine"
    start.prepare(source, folder)
    before = content(folder)
    assert start.prepare(source, folder) == start.Copies((), ("00_start_here.ipynb", "07_prange.ipynb"))
    assert content(folder) == before


def test_failed_copy_leaves_no_half_notebook(source, tmp_path, monkeypatch):
    def fail(path, target):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", fail)
        with pytest.raises(Trouble, match="the disk is full"):
            start.prepare(source, tmp_path / "mine")
    assert list((tmp_path / "mine").iterdir()) == []
    start.prepare(source, tmp_path / "mine")
    assert len(nbformat.read(tmp_path / "mine" / "00_start_here.ipynb", as_version=4)["cells"]) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_full_disk_is_said_in_one_sentence(source, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / ".00_start_here.ipynb.part").symlink_to("/dev/full")
    with pytest.raises(Trouble, match=r"^the disk is full.*: make room, about 1 GB, and run"):
        start.prepare(source, folder)


def test_file_in_the_place_of_the_folder_is_said_in_one_sentence(source, tmp_path):
    (tmp_path / "mine").touch()
    with pytest.raises(Trouble, match=r"mine is a file; choose a folder\.$"):
        start.prepare(source, tmp_path / "mine")


def test_the_notebooks_of_the_course_are_no_place_to_work(source):
    with pytest.raises(Trouble, match="is the course's own folder"):
        start.prepare(source, source / ".." / source.name)


def test_notebooks_are_those_of_the_package_or_of_the_checkout(tmp_path, monkeypatch, source):
    assert start.notebooks_folder() == ROOT / "notebooks"
    monkeypatch.setattr(start.resources, "files", lambda package: source.parent)
    assert start.notebooks_folder() == source
    monkeypatch.setattr(start.resources, "files", lambda package: tmp_path / "nowhere")
    monkeypatch.setattr(start, "ROOT", tmp_path / "nowhere")
    with pytest.raises(Trouble, match="this installation has no notebooks"):
        start.notebooks_folder()


def test_every_chapter_of_the_course_can_be_copied(tmp_path):
    copies = start.prepare(start.notebooks_folder(), tmp_path / "mine")
    assert start.FIRST in copies.copied
    for name in copies.copied:
        nbformat.validate(nbformat.read(tmp_path / "mine" / name, as_version=4))


def test_default_folder_is_in_the_home_folder(tmp_path, monkeypatch, handed, capsys):
    home = tmp_path / "Zoë Ōta"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    assert cli.run(["start"]) == 0
    command, _ = handed[0]
    assert f"--ServerApp.root_dir={home / 'numba-course'}" in command
    assert (home / "numba-course" / start.FIRST).exists()
    assert f"Your folder: {home / 'numba-course'}\n  copied: {start.FIRST}" in capsys.readouterr().out
    assert cli.run(["start"]) == 0
    assert f"  copied: nothing\n  kept as you left them: {start.FIRST}" in capsys.readouterr().out


def test_folder_and_options_are_passed_on(tmp_path, handed):
    assert cli.run(["start", str(tmp_path / "a b"), "--no-browser", "--port", "9001"]) == 0
    command, _ = handed[0]
    assert {f"--ServerApp.root_dir={tmp_path / 'a b'}", "--no-browser", "--ServerApp.port=9001"} <= set(
        command
    )
    assert cli.run(["start", str(tmp_path / "a b")]) == 0
    command, _ = handed[1]
    assert "--ServerApp.port=0" in command  # which the system replaces by a free one
    assert "--no-browser" not in command


def test_lab_listens_on_this_machine_and_opens_the_first_chapter(tmp_path):
    command, _ = start.lab(tmp_path)
    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert "--ServerApp.ip=127.0.0.1" in command
    assert "--LabApp.default_url=/lab/tree/00_start_here.ipynb" in command


def test_kernel_of_this_environment_is_found_before_those_of_the_user(tmp_path, monkeypatch):
    for given in ("", "of-the-user"):
        monkeypatch.setenv("JUPYTER_PATH", given)
        _, variables = start.lab(tmp_path)
        first, *others = variables["JUPYTER_PATH"].split(os.pathsep)
        assert (Path(first) / "kernels" / "python3" / "kernel.json").is_file()
        assert others == ([given] if given else [])


def test_settings_exist_in_the_installed_jupyterlab():
    overrides = json.loads((start.SETTINGS / "overrides.json").read_text(encoding="utf-8"))
    schemas = Path(jupyterlab.commands.get_app_dir()) / "schemas"
    for plugin, settings in overrides.items():
        package, name = plugin.split(":")
        schema = json.loads((schemas / package / f"{name}.json").read_text(encoding="utf-8"))
        assert settings.keys() <= schema["properties"].keys()
