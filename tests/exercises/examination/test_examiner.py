"""The session's side of a check: it gives a verdict whatever the session is like, and whatever a worker does to it."""

import os
import signal
import sys
import tempfile
import threading
import time
import warnings

import numpy as np
import psutil
import pytest

from numba_course.exercises.examination import examiner
from numba_course.exercises.requirements.results import Matches
from numba_course.process import family, sandbox, wire
from tests.exercises.toy import exercise, triple

pytestmark = pytest.mark.load


def plain(**changes):
    """The toy exercise, for answers in plain Python."""
    return exercise(requirements=(Matches(),), **changes)


def times_three(values):
    return np.array([3.0 * value for value in values.tolist()])


def deep(n):
    return deep(n - 1) if n else plain().examine(times_three)


def test_a_session_deep_in_calls_gets_its_verdict():
    frame, depth = sys._getframe(), 0
    while frame:
        frame, depth = frame.f_back, depth + 1
    assert deep(sys.getrecursionlimit() - depth - 30).passed


def test_a_session_without_a_place_for_files_gets_its_verdict(monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/there/is/no/such/folder")
    assert plain().examine(times_three).passed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is a limit of open files")
def test_a_session_without_descriptors_gets_its_verdicts():
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    plain().examine(times_three)
    there = max(map(int, os.listdir("/proc/self/fd"))) if os.path.exists("/proc/self/fd") else 64
    resource.setrlimit(resource.RLIMIT_NOFILE, (there + 1, before[1]))
    try:
        assert [plain().examine(times_three).status for _ in range(3)] == ["correct"] * 3
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_check_leaves_the_session_as_it_was():
    def state():
        return (
            os.getcwd(),
            sys.modules["__main__"],
            signal.getsignal(signal.SIGINT),
            sys.getrecursionlimit(),
            list(warnings.filters),
            dict(os.environ),
            str(np.random.default_rng(0)),
            sys.path[:],
        )

    plain().examine(times_three)
    before, files = state(), psutil.Process().num_fds() if hasattr(os, "fork") else 0
    plain().examine(times_three)
    assert state() == before
    if hasattr(os, "fork"):
        assert psutil.Process().num_fds() == files


def endless(values):
    while True:
        pass


def test_an_interrupted_check_is_stopped_and_nothing_is_left():
    plain().examine(times_three)
    before = set(family.descendants(os.getpid()))

    def interrupt():
        while not set(family.descendants(os.getpid())) - before:
            time.sleep(0.01)
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    assert plain(seconds=60.0).examine(endless).status == "stopped"
    new = list(set(family.descendants(os.getpid())) - before)
    family.wait_for_the_end(new, 5)
    assert all(map(family.is_gone, new))


def test_a_check_in_a_child_of_a_check_shows_nothing(capsys):
    def answer(values):
        exercise().check(triple)
        return times_three(values)

    verdict = plain().examine(answer)
    assert verdict.passed
    assert verdict.output == ""


def clear_modules(values):
    sys.modules.clear()
    return times_three(values)


def refuse_everything(values):
    def hook(*args):
        raise RuntimeError("nothing goes")

    sys.addaudithook(hook)
    return times_three(values)


def close_all(values):
    os.closerange(3, 100)
    return times_three(values)


@pytest.mark.parametrize("answer", [clear_modules, refuse_everything, close_all], ids=lambda f: f.__name__)
def test_who_breaks_his_own_process_is_no_fault_of_ours(answer):
    """He may even be right, where his process still says what came of it."""
    verdict = plain().examine(answer)
    assert verdict.status in ("correct", "crashed", "raised"), verdict.full()


class Flood:
    """Stands for a worker that talks without being asked."""

    def __init__(self):
        self.ended_as = None

    def poll(self):
        return wire.encode(("said", ("done", None)))

    def ended(self, how):
        self.ended_as = how
        return sandbox.Outcome(how)


def test_a_worker_that_talks_unasked_is_ended(monkeypatch):
    told = []
    hearing = examiner._Hearing.__new__(examiner._Hearing)
    hearing.judge = type(
        "Judge", (), {"tell": lambda self, message, *more: told.append(wire.decode(message))}
    )()
    worker = examiner._Worker(Flood())
    assert hearing._hear(0, worker)
    assert worker.child.ended_as == "crashed"
    assert worker.over
    assert told[0][:2] == (0, "ended")


def test_what_a_worker_is_given_knows_nothing_of_what_is_right():
    asked = exercise().without_answer()
    assert asked.spec is asked.reference is None
    assert asked.parameters == ("values",)
    assert exercise().without_help().spec is exercise().spec
