"""The script that repeats tests under load: it sees what fails now and then, and leaves no busy program behind."""

import os
import subprocess
import sys
import textwrap

import psutil
import pytest

from numba_course.host import ROOT
from tests import under_load

SCRIPT = ROOT / "tests" / "under_load.py"
pytestmark = [
    pytest.mark.load,
    pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not choose cores"),
]

TOY = """
import pytest

made = 0

@pytest.fixture(scope="module")
def number():
    global made
    made += 1
    return made

@pytest.mark.load
def test_fails_at_the_third(number):
    assert number != 3, "the third one"

@pytest.mark.load
@pytest.mark.parametrize("colour", ["red", "blue"])
def test_holds(number, colour):
    assert number

def test_without_the_mark():
    raise ValueError
"""


def run(folder, *options):
    """Exit status and output of the script on the toy."""
    (folder / "test_toy.py").write_text(TOY, encoding="utf-8")
    command = [sys.executable, SCRIPT, folder / "test_toy.py", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_a_test_that_fails_once_in_a_while_is_told_with_how_often_and_where(tmp_path):
    settings = "one core", "two cores, two busy programs"
    status, said = run(tmp_path, "-n", "4", "--setting", settings[0], "--setting", settings[1])
    assert status == 1, said
    assert said.count("repetition 4: 3 tests") == 2
    report = said[said.index("test_fails_at_the_third failed") :]
    assert all(f"1 of 4 times on {setting}" in report for setting in settings)
    assert "first at repetition 3 on one core:" in report
    assert "AssertionError: the third one" in report
    assert "test_holds" not in report


def test_where_nothing_fails_the_status_is_0_and_where_none_is_chosen_2(tmp_path):
    status, said = run(tmp_path, "-n", "3", "--setting", "one core", "-k", "holds")
    assert status == 0 and "no test failed" in said, said
    assert run(tmp_path, "--setting", "one core", "-k", "nosuch")[0] == 2


def test_busy_programs_end_with_who_started_them_however_that_ends():
    program = textwrap.dedent("""
        import os, sys
        from tests import under_load
        with under_load.busy_program() as first, under_load.busy_program() as second:
            print(first.pid, second.pid, flush=True)
            sys.stdin.read()
    """)
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as starter:
        busy = [psutil.Process(int(pid)) for pid in starter.stdout.readline().split()]
        assert all(each.is_running() for each in busy)
        starter.kill()
    assert len(busy) == 2 and psutil.wait_procs(busy, timeout=60)[1] == []


def test_the_mark_is_found_in_the_folders_of_the_tests():
    assert str(ROOT / "tests/process/test_sandbox.py") in under_load.marked()
