"""What an answer leaves behind or breaks in its own process is its own affair: no fault of ours, and nobody else's."""

import decimal
import gc
import locale
import os
import signal
import sys
import threading
import time
import warnings

import numpy as np
import pytest

from numba_course.exercises.examination.surroundings import Surroundings
from numba_course.exercises.requirements.results import LeavesInputsAlone, Matches, Returns
from tests.exercises.toy import exercise

RESULTS = (Matches(), Returns("float64", 1), LeavesInputsAlone())


def refuse(*args, **named):
    raise RuntimeError("left behind")


def watch(*args):
    """Looks on for each call and each line."""


class Finder:
    find_spec = staticmethod(refuse)


def low_recursion_limit():
    sys.setrecursionlimit(len_of_stack() + 20)


def len_of_stack():
    frame, count = sys._getframe(), 0
    while frame:
        frame, count = frame.f_back, count + 1
    return count


LEAVES = {
    "trace function": lambda: sys.settrace(watch),
    "profile function": lambda: sys.setprofile(watch),
    "recursion limit": low_recursion_limit,
    "garbage collector": lambda: gc.callbacks.append(refuse),
    "import hooks": lambda: sys.meta_path.insert(0, Finder),
    "warnings that are errors": lambda: warnings.simplefilter("error"),
    "NumPy's errors": lambda: np.seterr(all="raise"),
    "hooks of threads": lambda: threading.settrace(refuse),
    "hooks and streams": lambda: (setattr(sys, "stdout", None), setattr(sys, "excepthook", None)),
    "decimals": lambda: setattr(decimal.getcontext(), "prec", 1),
    "environment": lambda: os.environ.clear(),
    "descriptors": lambda: os.closerange(0, 3),
    "folder": lambda: os.chdir("/"),
}


@pytest.mark.parametrize("leave", LEAVES.values(), ids=LEAVES)
def test_a_right_answer_that_leaves_something_behind_is_correct(leave):
    def answer(values):
        result = np.array([3.0 * value for value in values.tolist()])
        leave()
        return result

    verdict = exercise(requirements=RESULTS).examine(answer)
    assert verdict.passed, verdict.full()


QUIETLY = LEAVES | {
    "warnings that are errors": lambda: warnings.filterwarnings("error", "of this test"),
}


@pytest.mark.parametrize("name", [name for name in QUIETLY if name in Surroundings()._before])
def test_what_is_left_behind_is_noticed_and_put_back(name):
    surroundings = Surroundings()
    try:
        QUIETLY[name]()
        assert name in surroundings.changed()
    finally:
        surroundings.restore()
    assert not surroundings.changed()


def test_another_locale_is_put_back():
    names = [name for name in ("C.UTF-8", "C", "POSIX") if name != locale.setlocale(locale.LC_ALL)]
    surroundings = Surroundings()
    before = locale.setlocale(locale.LC_ALL)
    locale.setlocale(locale.LC_ALL, names[-1])
    surroundings.restore()
    assert locale.setlocale(locale.LC_ALL) == before


def test_a_higher_recursion_limit_stays():
    before = sys.getrecursionlimit()
    surroundings = Surroundings()
    sys.setrecursionlimit(5000)
    surroundings.restore()
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(before)
    assert limit == 5000


def nested():
    result = []
    result.append(result)
    return result


class Reprless:
    def __repr__(self):
        raise SystemExit

    def __getattr__(self, name):
        os._exit(3)


class Exiting:
    def __array__(self, *args, **named):
        raise SystemExit


RETURNED = {
    "nothing": lambda: None,
    "a list in itself": nested,
    "no repr": Reprless,
    "an array that exits": Exiting,
    "rows of different lengths": lambda: (np.zeros(2), np.zeros(3)),
    "half a character": lambda: "\ud83d",
    "a function": lambda: refuse,
    "a generator": lambda: (value for value in ()),
    "objects": lambda: np.array([refuse, None]),
    "a file": lambda: sys.stdout,
}


@pytest.mark.parametrize("made", RETURNED.values(), ids=RETURNED)
def test_whatever_is_returned_is_right_or_wrong(made):
    verdict = exercise(requirements=RESULTS).examine(lambda values: made())
    assert verdict.status == "wrong", verdict.full()
    verdict.text(), verdict.full(), verdict._repr_html_()


class Mute(Exception):
    def __str__(self):
        raise SystemExit


class Halves(Exception):
    def __str__(self):
        return "\ud83d" * 3


RAISED = {
    "an exit": SystemExit,
    "an interrupt": KeyboardInterrupt,
    "an end of iteration": StopIteration,
    "an end of a generator": GeneratorExit,
    "no text": Mute,
    "half a character": Halves,
    "megabytes": lambda: ValueError("x" * 20_000_000),
    "several": lambda: ExceptionGroup("several", [ValueError("one"), TypeError("two")]),
}


@pytest.mark.parametrize("made", RAISED.values(), ids=RAISED)
def test_whatever_is_raised_is_raised(made):
    def answer(values):
        raise made()

    verdict = exercise(requirements=RESULTS).examine(answer)
    assert verdict.status == "raised", verdict.full()
    assert len(verdict.full()) < 100_000


def test_an_answer_that_changes_its_mind_is_wrong():
    calls = []

    def answer(values):
        calls.append(1)
        return 3.0 * values if len(calls) < 3 else "no more"

    assert exercise(requirements=RESULTS).examine(answer).status == "wrong"


@pytest.mark.load
def test_an_answer_that_stops_its_group_has_not_ended():
    def answer(values):
        os.kill(0, signal.SIGSTOP)

    assert exercise(requirements=RESULTS, seconds=0.5).examine(answer).status == "timed out"


@pytest.mark.load
def test_nothing_of_an_answer_is_seen_by_the_next_check():
    def answer(values):
        for leave in LEAVES.values():
            leave()
        if os.fork() == 0:
            time.sleep(60)
        return 3.0 * values

    toy = exercise(requirements=RESULTS)
    toy.examine(answer)
    assert toy.examine(lambda values: 3.0 * values).passed
