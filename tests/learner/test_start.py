"""The learner's copy: what is copied, what is never overwritten, and how JupyterLab is asked to open it."""

import copy
import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import jupyterlab.commands
import nbformat
import pytest

import numba_course
from numba_course import exercises
from numba_course.exercises import records
from numba_course.exercises.examination.verdict import Verdict
from numba_course.host import ROOT, Trouble
from numba_course.launch import cli
from numba_course.learner import notebook_files, start

CODE = {"cell_type": "code", "id": "a", "metadata": {"tags": ["x"]}, "source": "1 + 1", "execution_count": 7}
STORED = {"output_type": "execute_result", "execution_count": 7, "metadata": {}, "data": {"text/plain": "2"}}
TEXT = {"cell_type": "markdown", "id": "b", "metadata": {}, "source": "# Über π"}


@pytest.fixture(autouse=True)
def no_session(monkeypatch):
    """What other tests have checked in this process is not this learner's."""
    monkeypatch.setattr(records, "_session", [])


@pytest.fixture
def source():
    """Two executed chapters of a course."""
    return {stem: chapter(TEXT, CODE | {"outputs": [STORED]}) for stem in ("00_start_here", "07_prange")}


def chapter(*cells):
    """A notebook as the course has it."""
    metadata = {"numba_course": {"title": "x"}}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": copy.deepcopy(list(cells))}


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
    assert start.hand_out(source, folder) == start.Copies(copied=("00_start_here", "07_prange"))
    assert sorted(path.name for path in folder.iterdir()) == [
        "00_start_here.ipynb",
        "07_prange.ipynb",
        "progress.jsonl",
    ]
    notebook = nbformat.read(folder / "07_prange.ipynb", as_version=4)
    text, code = notebook["cells"]
    assert text == TEXT
    assert code == CODE | {"outputs": [], "execution_count": None}
    assert notebook.metadata.numba_course.version == numba_course.__version__
    assert "Über π" in (folder / "07_prange.ipynb").read_text(encoding="utf-8")
    assert (folder / "progress.jsonl").read_text(encoding="utf-8") == ""


def test_work_of_the_learner_is_never_overwritten(source, tmp_path):
    folder = tmp_path / "mine"
    start.hand_out(source, folder)
    mine = notebook_files.read_notebook(folder / "07_prange.ipynb")
    mine["cells"][1]["source"] = "my answer"
    notebook_files.write_notebook(folder / "07_prange.ipynb", mine)
    (folder / "00_start_here.ipynb").unlink()
    (folder / "progress.jsonl").write_text('{"exercise": "double", "status": "correct"}\n', encoding="utf-8")
    before = content(folder)
    done = start.hand_out(source, folder)
    assert done == start.Copies(copied=("00_start_here",), kept=("07_prange",))
    assert before.items() <= content(folder).items()


def test_older_record_of_progress_is_not_replaced(source, tmp_path):
    (tmp_path / "progress.json").write_text('{"double": "correct"}', encoding="utf-8")
    start.hand_out(source, tmp_path)
    assert not (tmp_path / "progress.jsonl").exists()
    assert start.progress_of(notebook_files.chapters(), tmp_path).done == 1


def test_folder_of_something_else_is_not_filled(source, tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(
        Trouble, match="has other files in it; choose an empty folder, or one that is not there"
    ):
        start.hand_out(source, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("there", [".git", "07_prange.ipynb", "progress.jsonl", "progress.json"])
def test_folder_that_is_empty_to_the_eye_or_has_something_of_the_course_is_filled(source, tmp_path, there):
    (tmp_path / there).touch()
    start.hand_out(source, tmp_path)
    assert (tmp_path / "00_start_here.ipynb").exists()


def test_second_start_changes_nothing(source, tmp_path):
    folder = tmp_path / "mine"
    start.hand_out(source, folder)
    before = content(folder)
    assert start.hand_out(source, folder) == start.Copies(kept=("00_start_here", "07_prange"))
    assert content(folder) == before


def test_newer_version_brings_chapters_and_cells_and_says_so(source, tmp_path):
    start.hand_out(source, tmp_path)
    source["08_nogil"] = chapter(TEXT)
    source["07_prange"]["cells"] = [
        {**TEXT, "source": "# Über π, mended"},
        CODE,
        {**TEXT, "id": "c", "source": "new"},
    ]
    done = start.hand_out(source, tmp_path, "9.0")
    assert list(done.sentences()) == [
        "  copied: 08_nogil",
        "  brought up to date: 07_prange (cells: 1 new, 1 mended)",
        "  as you left them: 00",
    ]
    texts = [
        notebook_files.text(cell)
        for cell in notebook_files.read_notebook(tmp_path / "07_prange.ipynb")["cells"]
    ]
    assert texts == ["# Über π, mended", "1 + 1", "new"]
    for stem in source:
        metadata = notebook_files.read_notebook(tmp_path / f"{stem}.ipynb")["metadata"]
        assert metadata["numba_course"]["version"] == "9.0"


OLD_PLACES = """from numba_course import exercises, kernels, lens, sandbox
from numba_course.kernels.resize import bilinear_resize
from numba_course.kernels.resize import fill, passes_for, plain_passes_for
from numba_course.kernels.vectors import has_avx2
from numba_course.lens import figures
from numba_course.lens.dispatchers import line_of, reason
from numba_course.lens.errors import expect_error
from numba_course.workbook import doctor
from numba_course.workbook import numpy_support"""
NEW_PLACES = """from numba_course import exercises, kernels, lens
from numba_course.kernels.resize import bilinear_resize
from numba_course.learner import doctor
from numba_course.lens import figures, numpy_support
from numba_course.lens.errors import expect_error, line_of, reason
from numba_course.process import sandbox"""
USED = """sandbox.run, sandbox.describe, doctor.examine, numpy_support.table, numpy_support.fate
figures.show, bilinear_resize
assert reason(ValueError("so")) == "ValueError: so" and line_of(ValueError("so")) is None
assert sandbox.run(divmod, 7, 2).value == (3, 1)"""


@pytest.mark.parametrize("edit", ["", "\nimport math  # mine"])
def test_imports_of_an_earlier_version_are_renewed_or_go_on_working(tmp_path, edit):
    old, new = (CODE | {"source": f"import numpy as np\n\n{lines}"} for lines in (OLD_PLACES, NEW_PLACES))
    start.hand_out({"06_errors": chapter(TEXT, old)}, tmp_path, "0.1")
    path = tmp_path / "06_errors.ipynb"
    mine = notebook_files.read_notebook(path)
    mine["cells"][1]["source"] += edit
    notebook_files.write_notebook(path, mine)
    start.hand_out({"06_errors": chapter(TEXT, new)}, tmp_path, "0.2")
    found = notebook_files.text(notebook_files.read_notebook(path)["cells"][1])
    assert found == (old["source"] + edit if edit else new["source"])
    exec(f"{found}\n{USED}", {})


@pytest.mark.parametrize("line", [line for line in OLD_PLACES.splitlines() if line not in NEW_PLACES])
def test_every_old_import_works_in_a_kernel_that_has_imported_nothing_else(line):
    subprocess.run([sys.executable, "-W", "error", "-c", line], check=True, timeout=100)


def test_older_version_changes_nothing_and_says_so(source, tmp_path):
    start.hand_out(source, tmp_path, "9.0.0")
    before = content(tmp_path)
    source["07_prange"]["cells"] = [TEXT]
    done = start.hand_out(source, tmp_path, "0.9")
    assert (
        done.remarks[0]
        == "your notebooks are of version 9.0.0, newer than this course (0.9): update the course."
    )
    assert list(done.sentences())[1:] == [f"  {done.remarks[0]}"]
    assert content(tmp_path) == before


def test_notebook_of_unknown_origin_stays(source, tmp_path):
    (tmp_path / "07_prange.ipynb").write_text(json.dumps(chapter(TEXT)), encoding="utf-8")
    before = content(tmp_path)
    done = start.hand_out(source, tmp_path)
    assert done.kept == ("07_prange",)
    assert "07_prange does not say what it was copied from" in done.remarks[0]
    assert before.items() <= content(tmp_path).items()


def test_notebook_cut_off_at_any_byte_is_set_aside_whole(source, tmp_path):
    start.hand_out(source, tmp_path)
    path = tmp_path / "07_prange.ipynb"
    whole = path.read_bytes()
    for length in range(len(whole) - 1):  # without the last one it is still a notebook
        path.write_bytes(whole[:length])
        done = start.hand_out(source, tmp_path)
        aside = tmp_path / "07_prange-damaged.ipynb"
        assert done.copied == ("07_prange",)
        assert done.remarks == (
            "07_prange.ipynb could not be read and is now 07_prange-damaged.ipynb; in its place is a new copy.",
        )
        assert aside.read_bytes() == whole[:length]
        assert path.read_bytes() == whole
        aside.unlink()


@pytest.mark.parametrize(
    "garbage", ["{}", "[]", '{"cells": [1], "metadata": {}}', '{"cells": [], "metadata": 1}']
)
def test_what_is_no_notebook_is_set_aside_beside_what_was_before(source, tmp_path, garbage):
    (tmp_path / "07_prange-damaged.ipynb").write_text("earlier", encoding="utf-8")
    (tmp_path / "07_prange.ipynb").write_text(garbage, encoding="utf-8")
    start.hand_out(source, tmp_path)
    assert (tmp_path / "07_prange-damaged.ipynb").read_text(encoding="utf-8") == "earlier"
    assert (tmp_path / "07_prange-damaged-2.ipynb").read_text(encoding="utf-8") == garbage


def test_damaged_notebook_comes_back_from_the_checkpoint_of_jupyterlab(source, tmp_path):
    start.hand_out(source, tmp_path)
    path, checkpoints = tmp_path / "07_prange.ipynb", tmp_path / ".ipynb_checkpoints"
    mine = notebook_files.read_notebook(path)
    mine["cells"][1]["source"] = "my answer"
    checkpoints.mkdir()
    notebook_files.write_notebook(checkpoints / "07_prange-checkpoint.ipynb", mine)
    path.write_bytes(b"")
    done = start.hand_out(source, tmp_path)
    assert done.remarks[0].endswith("in its place is what JupyterLab had kept of it.")
    assert notebook_files.read_notebook(path) == mine


def test_failed_copy_leaves_no_half_notebook(source, tmp_path, monkeypatch):
    def fail(path, target):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", fail)
        with pytest.raises(Trouble, match="the disk is full"):
            start.hand_out(source, tmp_path / "mine")
    assert list((tmp_path / "mine").iterdir()) == []
    start.hand_out(source, tmp_path / "mine")
    assert len(nbformat.read(tmp_path / "mine" / "00_start_here.ipynb", as_version=4)["cells"]) == 2


WRITER = """
import pathlib, sys
from numba_course.learner import notebook_files
path = pathlib.Path(sys.argv[1])
print("ready", flush=True)
for number in range(10**6):
    cell = {"cell_type": "markdown", "metadata": {}, "source": str(number % 10) * 2000 * (number % 10 + 1)}
    notebook_files.write_notebook(path, {"metadata": {}, "cells": [cell]})
"""


@pytest.mark.load
def test_notebook_stays_whole_where_two_write_at_once_and_are_killed(source, tmp_path):
    path = tmp_path / "a.ipynb"
    notebook_files.write_notebook(path, source["07_prange"])
    for _ in range(3):
        command = [sys.executable, "-c", WRITER, str(path)]
        writers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(2)]
        try:
            for writer in writers:
                writer.stdout.readline()
            for _ in range(50):
                found = notebook_files.text(notebook_files.read_notebook(path)["cells"][0])
                assert len(set(found)) == 1 or found == TEXT["source"]
            assert [writer.poll() for writer in writers] == [None, None]
        finally:
            for writer in writers:
                writer.kill()
                writer.communicate()
        assert notebook_files.read_notebook(path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_full_disk_is_said_in_one_sentence(source, tmp_path, monkeypatch):
    folder = tmp_path / "mine"
    folder.mkdir()
    monkeypatch.setattr(notebook_files, "part_of", lambda path: path.with_name(f".{path.name}.part"))
    (folder / ".00_start_here.ipynb.part").symlink_to("/dev/full")
    with pytest.raises(Trouble, match=r"^the disk is full.*: make room, about 1 GB, and run"):
        start.hand_out(source, folder)


def test_file_in_the_place_of_the_folder_is_said_in_one_sentence(source, tmp_path):
    (tmp_path / "mine").touch()
    with pytest.raises(Trouble, match=r"mine is a file; choose a folder\.$"):
        start.hand_out(source, tmp_path / "mine")


def test_the_notebooks_of_the_course_are_no_place_to_work(source):
    folder = notebook_files.course_folder()
    with pytest.raises(Trouble, match="is the course's own folder"):
        start.hand_out(source, folder / ".." / folder.name)


def test_notebooks_are_those_of_the_package_or_of_the_checkout(tmp_path, monkeypatch, source):
    assert notebook_files.course_folder() == ROOT / "notebooks"
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "00_start_here.ipynb").touch()
    monkeypatch.setattr(notebook_files.resources, "files", lambda package: tmp_path)
    assert notebook_files.course_folder() == tmp_path / "notebooks"
    monkeypatch.setattr(notebook_files.resources, "files", lambda package: tmp_path / "nowhere")
    monkeypatch.setattr(notebook_files, "ROOT", tmp_path / "nowhere")
    with pytest.raises(Trouble, match="this installation has no notebooks"):
        notebook_files.course_folder()


def test_every_chapter_of_the_course_can_be_copied(tmp_path):
    copies = start.hand_out(notebook_files.chapters(), tmp_path / "mine")
    assert start.FIRST in copies.copied
    for stem in copies.copied:
        nbformat.validate(nbformat.read(tmp_path / "mine" / f"{stem}.ipynb", as_version=4))


def test_default_folder_is_in_the_home_folder(tmp_path, monkeypatch, handed, capsys):
    home = tmp_path / "Zoë Ōta"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    assert cli.run(["start"]) == 0
    command, _ = handed[0]
    assert f"--ServerApp.root_dir={home / 'numba-course'}" in command
    assert (home / "numba-course" / f"{start.FIRST}.ipynb").exists()
    assert f"Your folder: {home / 'numba-course'}\n  copied: {start.FIRST}" in capsys.readouterr().out
    assert cli.run(["start"]) == 0
    assert f"Your folder: {home / 'numba-course'}\n  as you left them: 00, 01" in capsys.readouterr().out


def test_course_opens_where_the_learner_left_off(tmp_path, handed, capsys):
    def opened():
        assert cli.run(["start", str(tmp_path)]) == 0
        (address,) = [word for word in handed.pop()[0] if "default_url" in word]
        return address.rpartition("/")[2]

    assert opened() == "00_start_here.ipynb"
    records.record(Verdict("parallel_max", "wrong"), tmp_path)
    assert opened() == "07_prange.ipynb"
    for name in exercises.by_chapter()["07_prange"]:
        records.record(Verdict(name.name, "correct"), tmp_path)
    records.record(Verdict("sum_of_squares", "correct"), tmp_path)
    assert opened() == "01_execution_model.ipynb"
    assert "exercises solved. Opening 01_execution_model." in capsys.readouterr().out


def test_name_of_the_learner_is_kept(tmp_path, handed):
    assert cli.run(["start", str(tmp_path), "--name", "Zoë Ōta"]) == 0
    assert records.learner(records.read(tmp_path)) == "Zoë Ōta"


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
