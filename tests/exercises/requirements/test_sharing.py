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
def seldom(values):
    if values.size > 10**9:
        return values.sum()
    return values[0] + values[-1]


@pytest.mark.parametrize(
    "answer, words",
    [
        (shared, ""),
        (one_iteration, "one of 4 threads does all the work"),
        (cleared, "its parallel loops do not make the result"),
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
        shares.values = np.arange(9.0)
        assert njit(parallel=True)(shared.py_func)(shares.values) == 36.0
    assert get_num_threads() == threads
    before = shares.loops
    assert njit(parallel=True)(shared.py_func)(np.arange(5.0)) == 10.0
    assert (before, shares.loops) == (1, 1)
