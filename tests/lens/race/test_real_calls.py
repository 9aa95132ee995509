"""Real calls beside the verdict on races: what fails, crashes, hangs or differs is told, and rounding is told apart."""

import json
from dataclasses import asdict

import numba
import numpy as np
import pytest
from numba import njit, prange

from numba_course import lens
from numba_course.lens.race import _calling
from numba_course.lens.race.detector import Races, detect
from numba_course.lens.race.real_calls import Calls, Runs, _with_calls
from numba_course.process.arguments import pack
from numba_course.process.sandbox import Outcome

NONE_FOUND = Races("none found", loops=((1, 8),))


def called(fn, *args, **named):
    """What `lens.runs` finds of the calls, in this process."""
    steps = _calling.call_often(fn, {}, pack((args, named)))
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return _with_calls(NONE_FOUND, Outcome("returned", end.value))


@njit(parallel=True)
def shifted(a):
    a[1:] = a[:-1]


def test_another_result_is_told_with_its_place():
    found = called(shifted, np.arange(100.0))  # on any number of threads: Numba copies front to back
    assert found.outcome == "differs"
    assert "on 1 thread: ⟨2 of 2⟩ calls differ: its argument a is ⟨0.0 at [2], not 1.0⟩" in repr(found)
    assert "no race was found for this input: the cause may be another one" in repr(found)


@njit(parallel=True)
def total(values, scale):
    result = 0.0
    for i in prange(values.size):
        result += scale * values[i]
    return result


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="one thread has one order")
def test_another_order_of_a_sum_is_rounding():
    found = called(total, np.random.default_rng(0).normal(size=100_000), scale=1 / 3)
    assert found.outcome == "differs by rounding"
    assert "calls differ by no more than rounding may: the result is ⟨" in repr(found)


DATA = np.zeros(1_000_000, np.int8)


def test_a_lost_update_is_not_taken_for_rounding():
    sums, lost = np.full(4, 250_000.0), np.full(4, 250_000.0)
    lost[3] -= 1  # of a million
    calls = [
        _calling.Called(njit(lambda found, data: found), pack(((one, DATA), {}))) for one in (sums, lost)
    ]
    assert "⟨249999.0 at [3], not 250000.0⟩" in calls[1].unlike(calls[0], rounding=True)


@njit(parallel=True)
def inverse(values):
    out = np.zeros(values.size)
    for i in prange(values.size):
        out[i] = 1 / values[i]
    return out


def test_an_exception_that_a_parallel_loop_does_not_raise_is_told():
    found = called(inverse, np.zeros(3))
    assert found.outcome == "fails"
    assert "calls fail: it returned, where the serial function raised ZeroDivisionError" in repr(found)


@njit(parallel=True)
def random_numbers(n):
    out = np.zeros(n)
    for i in prange(n):
        out[i] = np.random.random()  # noqa: NPY002  # a generator would be shared by all
    return out


def test_what_differs_in_serial_calls_is_not_compared():
    found = called(random_numbers, 8)
    assert found.outcome == "not compared"
    assert "calls, none failed" in repr(found)
    assert "the serial function gave another one at its second call" in repr(found)


def test_a_call_that_kills_its_process_is_told_beside_the_verdict():
    @njit(parallel=True)
    def only_unsigned_ones_crash(a):
        for i in prange(len(a)):
            k = -i
            a[i] = a[k // np.uint64(1000)] if k > 0 else 0.0

    found = lens.runs(only_unsigned_ones_crash, np.ones(8))
    assert found.outcome == "crashes"
    assert "on 1 thread: call ⟨1⟩ crashes" in repr(found)
    assert found.races.verdict == "not checked"
    assert "on 1 thread: call ⟨1⟩ crashes" in found._repr_html_()


def test_what_is_known_outlives_a_call_that_does_not_end():
    tallies = [_calling.Tally(1, calls=2), _calling.Tally(2, calls=5, counts={"differs": 1})]
    step = json.dumps([asdict(tally) for tally in tallies])
    found = _with_calls(NONE_FOUND, Outcome("timed out", step=step))
    assert found.outcome == "hangs"
    assert "on 1 thread: ⟨2⟩ calls, no difference" in repr(found)
    assert "on 2 threads: call ⟨5⟩ did not end within 10 s" in repr(found)


def test_a_race_that_does_not_show_stays_one():
    found = Runs(detect(shifted, (np.arange(3.0),)), (Calls(1, 2, {}, 1),))
    assert "the verdict, which looks at every order, stands" in repr(found)


def test_nothing_parallel_is_not_called():
    @njit
    def first(a):
        return a[0]

    found = lens.runs(first, np.ones(3))
    assert (found.outcome, found.calls) == ("not tried", ())
    assert "not tried: nothing of it runs in parallel for this input" in repr(found)


@pytest.mark.parametrize(
    ("most", "expected"), [(1, [(1, 2)]), (2, [(1, 2), (2, 28)]), (8, [(1, 2), (2, 14), (8, 14)])]
)
def test_the_calls_are_shared_out(most, expected):
    assert _calling.shares(most) == expected


def test_one_thread_says_what_was_not_tried(monkeypatch):
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", 1)
    assert "Numba has one thread on this machine" in repr(called(total, np.ones(3), 1.0))
