"""gil: known holders and releasers are told apart by counts, on a busy machine too, and doubt is None."""

import ctypes
import math
import re
import sys
import threading
import time
from functools import partial

import cloudpickle
import numba
import numpy as np
import pytest
from numba import njit, prange

from numba_course.lens.interpreter_lock import Gil, _judged, gil, others_get_on

instrument = sys.modules["numba_course.lens.interpreter_lock"]
pytestmark = pytest.mark.load
for pickling in (cloudpickle, numba.cloudpickle):
    pickling.register_pickle_by_value(sys.modules[__name__])  # a child cannot import a test module


def sines(n):
    total = 0.0
    for i in range(n):
        total += math.sin(i)
    return total


def parallel_sines(n):
    total = 0.0
    for i in prange(n):
        total += math.sin(i)
    return total


def sines_after_a_small_parallel_loop(n):
    total = 0.0
    for i in prange(2):
        total += i
    for i in range(n):
        total += math.sin(i)
    return total


def add_one(x):
    return x + 1


held = njit(sines)
released = njit(nogil=True)(sines)


def wrapper_around_released_code(n):
    return released(n)


class Sines:
    def of(self, n):
        return sines(n)

    __call__ = of


@numba.guvectorize(["void(float64[:], float64[:])"], "(n)->(n)")
def vectors(values, out):
    for i in range(values.size):
        out[i] = math.sin(values[i])


LONG = 1_000_000  # sines: a call as long as a block
CASES = {
    "held": (held, (LONG,), False),
    "nogil": (released, (LONG,), True),
    "held, short calls": (njit(add_one), (1,), False),
    "nogil, short calls": (njit(nogil=True)(add_one), (1,), True),
    "nogil, calls of microseconds": (released, (LONG // 1000,), True),
    "parallel alone": (njit(parallel=True)(parallel_sines), (2 * LONG,), True),
    "NumPy": (np.sin, (np.arange(300_000.0),), True),
    "bytecode": (sines, (LONG // 8,), False),
    "bytecode around nogil": (wrapper_around_released_code, (LONG // 8,), True),
    "bytecode of a method": (Sines().of, (LONG // 8,), False),
    "gufunc": (partial(vectors, axis=0), (np.ones((3, 200_000)),), True),
}


@pytest.fixture(scope="module")
def seen():
    return {
        name: gil(fn, *args) for name, (fn, args, _) in CASES.items() if name in ("held", "nogil", "bytecode")
    }


@pytest.mark.parametrize("name", CASES)
def test_known_cases(name, seen):
    fn, args, expected = CASES[name]
    found = seen.get(name) or gil(fn, *args)
    assert found.released is expected, found
    assert found.takes_turns == name.startswith("bytecode")
    assert found.ticks_if_held <= found.ticks_if_released / 20


def test_keyword_arguments_reach_the_call():
    found = gil(partial(released, n=1), n=LONG)
    assert found.released is True and found.name == "sines"
    assert found.calls[0][1] - found.calls[0][0] > 1e-3  # not the call of one sine


@pytest.mark.parametrize(
    ("fn", "python"),
    [
        (sines, True),
        (partial(sines, 3), True),
        (Sines().of, True),
        (Sines(), True),
        (type("Made", (), {"__init__": lambda self: None}), True),
        (held, False),
        (partial(held, 3), False),
        (vectors, False),
        (np.sin, False),
        ([].append, False),
        (dict, False),
    ],
)
def test_threads_take_turns_where_a_call_runs_bytecode(fn, python):
    assert instrument._is_python(fn) is python


def test_a_compiled_function_among_the_arguments_is_not_compiled_for_again_and_again():
    """Another copy is of another type, and the compiler lets others run."""

    @njit
    def applied(f, values):
        total = 0.0
        for value in values:
            total += f(value)
        return total

    assert gil(applied, njit(add_one), values=np.ones(LONG)).released is False


def test_a_small_parallel_region_does_not_make_a_function_release_the_gil():
    # On a busy machine the region itself may take a few per cent of the time; then the answer is None.
    assert gil(njit(parallel=True)(sines_after_a_small_parallel_loop), 2 * LONG).released is not True


def test_a_thread_that_waits_for_the_gil_gets_it_if_the_call_lets_go():
    held(1), released(1)
    threads, usual = threading.active_count(), sys.getswitchinterval()
    for size in (1, LONG // 100):
        assert others_get_on(partial(released, size)) is True
        assert others_get_on(partial(held, size)) is False
    assert (threading.active_count(), sys.getswitchinterval()) == (threads, usual)


def test_a_list_that_is_converted_around_the_call_is_named():
    found = gil(njit(nogil=True)(lambda values: values[0]), [1.0] * 10_000)
    assert found.released is False and "a Python list or set among the arguments is converted" in repr(found)


def test_what_runs_bytecode_lets_others_take_turns_and_says_nothing():
    assert others_get_on(lambda: held(1)) is None


def test_an_error_of_the_call_is_raised_and_leaves_no_thread_behind():
    threads, usual = threading.active_count(), sys.getswitchinterval()
    with pytest.raises(TypeError, match="int"):
        others_get_on(partial(int, []))
    with pytest.raises(IndexError):
        others_get_on([1].pop)  # at the second call
    assert (threading.active_count(), sys.getswitchinterval()) == (threads, usual)


def ticks_during_calls(found):
    """Of each other thread."""
    return [sum(start < m < end for start, end in found.calls for m in moments) for moments in found.others]


def test_the_timeline_shows_what_was_recorded(seen):
    assert ticks_during_calls(seen["held"]) == [0, 0]
    assert min(ticks_during_calls(seen["nogil"])) > 0
    for found in seen.values():  # before and after the calls, the others tick
        assert all(start < end for start, end in found.calls)
        assert len(found.others) == 2
        assert all(min(moments) < 0 and max(moments) > found.calls[-1][1] for moments in found.others)


def test_a_figure_says_in_words_what_it_shows(seen):
    for found in seen.values():
        alt = found.figure().alt
        assert alt.startswith(
            f"Timeline of 3 threads: {repr(found).splitlines()[0][2:]}. Last time that another"
        )
    assert seen["held"].figure().alt.endswith("ran during the calls: ⟨never⟩.")


def test_a_figure_says_in_words_that_the_others_ran_during_a_part_of_the_call_only():
    ticks = ((-0.01, 0.002, 0.0391), (0.03, 0.06))  # the last one is after the call
    found = Gil("work", True, "", False, 300, 400, 0, ((0.0, 0.0573),), ticks)
    assert found.figure().alt.endswith("during the calls: ⟨39.1 of 57.3 ms⟩.")


def test_verdicts_in_words(seen):
    assert repr(seen["held"]).startswith("! sines holds the GIL: other Python threads stand still")
    assert repr(seen["nogil"]).startswith("✓ sines releases the GIL: other Python threads get on")
    assert repr(seen["bytecode"]).startswith("! sines is bytecode, which holds the GIL: threads take turns")
    assert "✓" in seen["nogil"]._repr_html_() and "!" in seen["held"]._repr_html_()


JUDGED = [
    ((0, 400, 0), False),
    ((20, 400, 0), False),
    ((21, 400, 0), None),
    ((99, 400, 0), None),
    ((100, 400, 0), True),
    ((900, 400, 20), True),
    ((0, 19, 0), None),
    ((500, 19, 0), None),
    ((0, 400, 21), None),
    ((400, 400, 400), None),
]


@pytest.mark.parametrize(("counts", "released"), JUDGED)
def test_what_counts_as_released(counts, released):
    found, why = _judged(*counts)
    assert found is released and bool(why) == (found is None)


def invented(released, ticks, why=""):
    return Gil("work", released, why, False, ticks, 7 * ticks, ticks // 3, ((0.0, 1.0),), ((-0.5, 0.5),))


@pytest.mark.parametrize("shown", [repr, Gil._repr_html_])
def test_text_outside_the_brackets_does_not_vary(shown):
    few, many = shown(invented(True, 3)), shown(invented(True, 54_321))
    assert few != many and re.sub("⟨[^⟩]*⟩", "", few) == re.sub("⟨[^⟩]*⟩", "", many)


def test_not_knowing_is_said_with_its_reason():
    assert repr(invented(None, 1, "too busy")).startswith(
        "○ whether work releases the GIL is not known: too busy"
    )
    assert "releases the GIL is not known. " in invented(None, 1).figure().alt


def fails(n):
    raise IndexError(f"no {n}")


def crashes(n):
    ctypes.string_at(0)


def hangs(n):
    while True:
        time.sleep(0.01)


def test_a_function_that_fails_is_named(monkeypatch):
    with pytest.raises(RuntimeError, match="gil: fails failed in the first call: IndexError: no 7"):
        gil(fails, 7)
    with pytest.raises(RuntimeError, match="gil: crashes failed in the first call: crashed"):
        gil(crashes, 7)
    monkeypatch.setattr(instrument, "LIMIT", 2.0)
    with pytest.raises(RuntimeError, match="gil: hangs failed in the first call: timed out"):
        gil(hangs, 7)


def test_wrong_use_is_told():
    with pytest.raises(TypeError, match="gil: fn must be a function, not float; was it called already"):
        gil(3.0)
    with pytest.raises(TypeError, match="gil: sines or its arguments cannot be sent"):
        gil(sines, (i for i in range(3)))
    with pytest.raises(
        TypeError, match="gil: add_one is made by @cfunc: called from Python it is its Python"
    ):
        gil(numba.cfunc("int64(int64)")(add_one), 1)
