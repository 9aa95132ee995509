"""What a call reads and does is counted exactly, wherever in the compiled code it is done."""

import numpy as np
import pytest
from numba import njit, objmode, prange

from numba_course.exercises.requirements.counters import Counted

VALUES = np.arange(1000.0)


@njit
def read_backwards(values, out):
    """One read, one comparison and one write for each value, and none of it packed: each needs the one before."""
    last = 0.0
    for i in range(values.size - 1, -1, -1):
        last = values[i] if values[i] > last else last * 0.5
        out[i] = last


@njit
def moved(values, out):
    out[1:] = values[:-1]


@njit
def product(values, out):
    out[0] = np.dot(values, values)


@njit
def by_a_helper(values, out):
    read_backwards(values, out)


@njit(parallel=True)
def parallel(values, out):
    for i in prange(values.size):
        out[i] = values[i] + 1.0


@njit
def by_python(values, out):
    with objmode():
        out[:] = values


def counts(function, n=1000):
    return Counted(function).counts((VALUES[:n].copy(), np.zeros(n)))


def test_what_cannot_be_packed_is_read_one_by_one():
    seen = counts(read_backwards)
    assert seen.read_packed == 0
    assert 1000 <= seen.read_one_by_one <= 2010


@pytest.mark.parametrize("function", [read_backwards, moved, product, by_a_helper, parallel])
def test_work_grows_with_the_elements(function):
    counted = Counted(function)
    few, many = (counted.counts((VALUES[:n].copy(), np.zeros(n))).work for n in (100, 1000))
    assert 900 <= many - few <= 900 * 5


def test_a_call_counts_for_itself_alone():
    counted, args = Counted(moved), (VALUES, np.zeros(1000))
    assert counted.counts(args) == counted.counts(args)


def test_it_says_that_python_is_called():
    counted = Counted(by_python)
    counted.counts((VALUES, np.zeros(1000)))
    assert counted.calls_python
    other = Counted(read_backwards)
    other.counts((VALUES, np.zeros(1000)))
    assert not other.calls_python
