"""Who makes the result: parallel loops, and more than one share of them, whatever the machine."""

from types import SimpleNamespace

import numpy as np
import pytest
from numba import get_num_threads, njit, prange

from numba_course.exercises.requirements.sharing import THREADS, Shares, SharesTheWork
from numba_course.process.arguments import pack, unpack


@njit(parallel=True)
def shared(values):
    total = 0.0
    for i in prange(values.size):
        total += values[i]
    return total


@njit(parallel=True)
def one_iteration(values):
    total = 0.0
    for _ in prange(1):
        for value in values:
            total += value
    return total


@njit(parallel=True)
def cleared(values):
    parts = np.zeros(values.size)
    total = 0.0
    for value in values:
        total += value
    return total + parts[0]


@njit(parallel=True)
def copied_for_show(values):
    copy = values + 0.0
    total = 0.0
    for value in copy:
        total += value
    return total


@njit(parallel=True)
def shared_after_a_copy(values):
    copy = values.copy()
    total = 0.0
    for i in prange(copy.size):
        total += copy[i]
    return total


@njit(parallel=True)
def seldom(values):
    if values.size > 10**9:
        return values.sum()
    return values[0] + values[-1]


@pytest.mark.parametrize(
    "answer, words",
    [
        (shared, ""),
        (shared_after_a_copy, ""),
        (copied_for_show, "one thread alone does 100 of 200"),
        (one_iteration, "one of 4 threads does nearly all the work: 100 of 100"),
        (cleared, "one thread alone does 101 of 101"),
        (seldom, "no parallel loop runs in it"),
    ],
)
def test_the_result_is_made_by_several_shares_of_parallel_loops(answer, words):
    values = np.arange(100.0)
    answer(values)
    trial = Trial(answer)
    finding = SharesTheWork(lambda: [(values,)]).of_code(trial)
    assert finding.seen.startswith(words) if words else finding is None
    assert values.tolist() == list(range(100))


class Trial(SimpleNamespace):
    def __init__(self, answer):
        super().__init__(answer=answer)

    def copies(self, args):
        return unpack(pack(args))

    __hash__ = object.__hash__


def test_afterwards_loops_run_on_threads_again():
    threads, shares = get_num_threads(), Shares()
    with shares.in_place():
        assert get_num_threads() == THREADS
        assert njit(parallel=True)(shared.py_func)(np.arange(9.0)) == 36.0
    assert len(shares.done) == THREADS and shares.done.total() == 9 <= shares.counters.total()
    assert get_num_threads() == threads
    before = shares.loops
    assert njit(parallel=True)(shared.py_func)(np.arange(5.0)) == 10.0
    assert (before, shares.loops) == (1, 1)
