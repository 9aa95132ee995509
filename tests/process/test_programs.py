"""A program in a Python of its own: its settings, and what it says at last."""

import subprocess

import pytest

from numba_course.process import programs


def test_last_line_is_what_is_printed_or_the_error(tmp_path):
    path = tmp_path / "program.py"
    path.write_text("import os\nprint('first')\nprint(os.environ['SETTING'])\n")
    assert programs.last_line(path, SETTING="here") == "here"
    assert programs.last_line(path) == "KeyError: 'SETTING'"
    path.write_text("")
    assert programs.last_line(path) == ""


def test_a_program_that_never_ends_is_stopped(tmp_path):
    path = tmp_path / "program.py"
    path.write_text("while True:\n    pass\n")
    with pytest.raises(subprocess.TimeoutExpired):
        programs.last_line(path, seconds=0.5)
