"""A notebook of another version of the course: the learner reads a sentence, and sees no traceback."""

import json
import os
import subprocess
import sys

import pytest

import numba_course
from numba_course.exercises import versions
from numba_course.learner import notebook_files, start


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """Sets the version that the kernel's notebook was made for."""
    path = tmp_path / "Zoë Ōta.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))

    def write(metadata):
        path.write_text(json.dumps({"metadata": metadata, "cells": []}), encoding="utf-8")
        return path

    return write


def test_other_version_is_said_in_a_sentence_with_what_to_do(notebook):
    notebook({"numba_course": {"version": "9.9"}})
    assert versions.mismatch() == (
        f"This notebook was made for version 9.9 of the course, but version {numba_course.__version__} is installed: "
        "a cell may not work. Close JupyterLab and run  python3 -m numba_course start  once more; your work stays."
    )


def test_delivered_notebook_says_nothing(notebook, tmp_path):
    stem, course = next(iter(notebook_files.chapters().items()))
    start.hand_out({stem: course}, tmp_path)
    notebook({}).unlink()
    (tmp_path / f"{stem}.ipynb").rename(os.environ["JPY_SESSION_NAME"])
    assert versions.mismatch() == ""


@pytest.mark.parametrize("metadata", [{}, {"numba_course": {}}, {"numba_course": 3}, None, [], "x"])
def test_notebook_that_does_not_say_its_version_says_nothing(notebook, metadata):
    notebook(metadata)
    assert versions.mismatch() == ""


@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff", b"[]", b"3"])
def test_notebook_that_cannot_be_read_says_nothing(notebook, content):
    path = notebook({})
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert versions.mismatch() == ""


def test_without_a_notebook_nothing_is_said(monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert versions.mismatch() == ""


@pytest.mark.parametrize("kernel", [True, False])
def test_import_mentions_it_in_a_kernel_only(notebook, kernel):
    notebook({"numba_course": {"version": "9.9"}})
    code = "import sys; sys.modules['ipykernel'] = sys; " * kernel + "import numba_course.exercises"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert result.stdout.startswith("The notebook and the course differ\n\nThis notebook was made") is kernel
    assert bool(result.stdout) is kernel
    assert result.stderr == ""
