"""A clock is replaced wherever it stands, and is itself again afterwards."""

import gc
import time
import timeit
from functools import partial

import pytest

from numba_course.exercises.requirements.clocks import ScriptedClock, timed

KEPT = {
    "in a dict": time.perf_counter,
    "a partial": partial(time.monotonic),
    "of timeit": timeit.default_timer,
}


@pytest.mark.parametrize("clock", KEPT.values(), ids=KEPT.keys())
def test_every_clock_is_the_scripted_one(clock):
    scripted = ScriptedClock()
    with scripted.replacing_all():
        scripted.now = 5 * 10**9
        assert clock() == 5.0
        assert time.perf_counter_ns() == 5 * 10**9
    assert scripted.reads == 2
    assert clock() != 5.0


@pytest.mark.skipif(not hasattr(time, "clock_gettime"), reason="Windows has no such clock")
def test_the_clocks_of_the_system_are_too():
    scripted = ScriptedClock()
    with scripted.replacing_all():
        assert time.clock_gettime(time.CLOCK_MONOTONIC) == 0.0
        assert time.clock_gettime_ns(time.CLOCK_MONOTONIC) == 0
    assert time.clock_gettime(time.CLOCK_MONOTONIC) > 0.0


def test_clocks_are_real_again_after_an_error():
    with pytest.raises(KeyError), ScriptedClock().replacing_all():
        raise KeyError
    assert time.time() > 1e9


def by_its_default(function, *args, clock=time.perf_counter):
    function(*args)
    start = clock()
    function(*args)
    return clock() - start


@pytest.mark.parametrize("compiled", [False, True])
def test_what_an_answer_does_is_plain_data(compiled):
    seen = timed(by_its_default, compiled, 0.25, (2, 0.5))
    assert seen.pop("reads") >= 2  # Numba reads some, too
    assert seen == {"returned": 0.25, "calls": 2, "with_others": 0}


def test_what_is_told_of_each_garbage_collection_reads_no_clock_of_the_answer():
    def told(phase, info):
        time.perf_counter()

    def answer(function, *args):
        gc.collect()
        return 1e-3

    gc.callbacks.append(told)
    try:
        assert timed(answer, False, 1e-3, (1,))["reads"] == 0
        assert told in gc.callbacks
    finally:
        gc.callbacks.remove(told)
