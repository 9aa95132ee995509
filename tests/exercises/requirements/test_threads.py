"""What `threaded_sum` is seen to do: threads that meet, and each way of sharing the sum badly."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from numba import njit, objmode

from numba_course.exercises.chapters.nogil import partial_sum, threaded_sum
from numba_course.exercises.requirements import threads
from numba_course.exercises.requirements.threads import InThreads, LetsOthersGetOn


def seen(answer, requirement=None):
    """What the requirement finds in an answer, in a sentence; empty if nothing."""
    finding = (requirement or InThreads()).of_code(SimpleNamespace(answer=answer, copies=lambda args: args))
    return finding.seen if finding else ""


def bounds(values, workers):
    return [k * values.size // workers for k in range(workers + 1)]


def in_pool(work, workers):
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))


def shared_place(values, workers):
    """Right by luck: each thread reads back at once what another one may have written."""
    at, out = bounds(values, workers), np.zeros(1)

    def work(k):
        partial_sum(values, at[k], at[k + 1], out, 0)
        return out[0]

    with ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(work, range(workers)))


def does_not_wait(values, workers):
    at, out = bounds(values, workers), np.zeros(workers)
    for k in range(workers):
        threading.Thread(target=partial_sum, args=(values, at[k], at[k + 1], out, k)).start()
    while not (watched and watched[-1].most == workers):  # until all have met
        time.sleep(0.001)
    return out.sum()


def one_does_it_all(values, workers):
    at, out = [*range(workers), values.size], np.zeros(workers)
    in_pool(lambda k: partial_sum(values, at[k], at[k + 1], out, k), workers)
    return out.sum()


def a_call_for_each_value(values, workers):
    out = np.zeros(values.size)

    def work(k):
        for i in range(k, values.size, workers):
            partial_sum(values, i, i + 1, out, i)

    in_pool(work, workers)
    return out.sum()


def one_thread_too_few(values, workers):
    at, out = bounds(values, workers), np.zeros(workers)
    with ThreadPoolExecutor(workers - 1) as pool:
        list(pool.map(lambda k: partial_sum(values, at[k], at[k + 1], out, k), range(workers)))
    return out.sum()


def empty_parts_in_threads(values, workers):
    """Threads have nothing to do, and the caller does it all."""
    out = np.zeros(workers)
    in_pool(lambda k: partial_sum(values, 0, 0, out, k), workers)
    partial_sum(values, 0, values.size, out, 0)
    return out[0]


@njit(nogil=True)
def add_up(part):
    return part.sum()


def another_kernel(values, workers):
    with ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(add_up, np.array_split(values, workers)))


def no_kernel(values, workers):
    return values.sum()


FAULTS = {
    shared_place: "to the same element",
    does_not_wait: "returned before its threads had ended",
    one_does_it_all: "one call sums 2998 of the 3000 values, where a fair share is 1000",
    a_call_for_each_value: "3000 calls",
    one_thread_too_few: "at most 2 at a time",
    empty_parts_in_threads: "one call sums 3000",
    another_kernel: "at most 0 at a time",
    no_kernel: "at most 0 at a time",
}
watched = []
pytestmark = pytest.mark.load


@pytest.fixture
def meetings(monkeypatch):
    """The meetings of a test."""
    meeting = threads.Meeting.__init__

    def noted(self, *args):
        meeting(self, *args)
        watched.append(self)

    monkeypatch.setattr(threads.Meeting, "__init__", noted)
    yield watched
    watched.clear()


@pytest.mark.parametrize("answer", FAULTS, ids=lambda answer: answer.__name__)
def test_each_way_to_share_it_badly_is_told(answer, meetings, monkeypatch):
    if answer is one_thread_too_few:
        monkeypatch.setattr(threads, "PATIENCE", 10)  # turns, which are all spent
    assert FAULTS[answer] in seen(answer)


def test_a_parallel_partial_sum_is_refused_before_it_is_called():
    parallel = njit(parallel=True, nogil=True)(partial_sum.py_func)
    names = {"partial_sum": parallel}
    exec("def answer(values, workers):\n    return partial_sum(values, 0, values.size, values, 0)", names)
    assert "end the process on the workqueue layer" in seen(names["answer"])
    assert not parallel.signatures


def test_the_calls_of_the_reference_meet(meetings):
    assert seen(threaded_sum) == ""
    assert meetings[0].most == 3 and not meetings[0].running and len(meetings[0].calls) == 3


def test_progress_of_another_thread_is_counted():
    held = njit(partial_sum.py_func)

    def holds(values, workers):
        held(values, 0, values.size, np.zeros(1), 0)

    assert "stand still while `partial_sum` runs" in seen(holds, LetsOthersGetOn())
    assert seen(threaded_sum, LetsOthersGetOn()) == ""


def in_python():
    """Bytecode."""


@njit
def partial_sum_in_python(values, start, stop, out, index):
    with objmode():
        in_python()


def test_progress_that_cannot_be_told_from_taking_turns_is_not_counted():
    def calls_python(values, workers):
        partial_sum_in_python(values, 0, values.size, np.zeros(1), 0)

    said = seen(calls_python, LetsOthersGetOn())
    assert "while `partial_sum_in_python` runs could not be found out; does it call Python inside?" in said
