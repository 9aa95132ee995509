"""What a compiled function would not be compiled with now: told by each instrument that compiles anew."""

import numpy as np
import pytest
from numba import njit, prange

from numba_course import lens
from numba_course.lens.compiled.changes import changes
from numba_course.lens.race.detector import detect

STEP = 0


@njit(parallel=True)
def scattered(out):
    for i in prange(out.size):
        out[i * STEP] = i


@pytest.fixture
def stale(monkeypatch):
    """`scattered` as it was compiled with another STEP, for which all its iterations write one element."""
    scattered(np.zeros(4))
    monkeypatch.setattr(f"{__name__}.STEP", 1)
    return scattered


SAID = "scattered is compiled anew here: STEP is ⟨1⟩ now, not ⟨0⟩ as when it was compiled before"


@pytest.mark.parametrize("instrument", [lens.races, detect, lens.types, lens.stages, lens.machine_code])
def test_an_instrument_says_that_what_runs_has_another_value(stale, instrument):
    out = np.zeros(4)
    shown = repr(instrument(stale, (out,)) if instrument is detect else instrument(stale, out))
    assert SAID in " ".join(shown.split())


def test_the_verdict_on_races_is_of_the_values_of_now(stale):
    found = lens.races(stale, np.zeros(4))
    assert (found.verdict, found.remarks) == ("none found", (SAID,))


def made(value):
    @njit
    def used():
        return value

    used()
    return used


def changed(value, other):
    used = made(value)
    used.py_func.__closure__[0].cell_contents = other
    return bool(changes(used))


@pytest.mark.parametrize(
    ("value", "other"),
    [
        (1, 2),
        (1, 1.0),
        (1, None),
        ((1, 2.0), (1, 3.0)),
        ((1, 2), (1, 2, 3)),
        (np.zeros(2), np.ones(2)),
        ("a", "b"),
    ],
)
def test_numbers_text_tuples_and_arrays_are_compared(value, other):
    assert changed(value, other) and not changed(value, value)


def test_equal_values_have_not_changed():
    assert not changed(np.zeros(2), np.zeros(2)) and not changed((1, (2.0, "a")), (1, (2.0, "a")))
    assert changes(njit(lambda: STEP)) == ()


def test_a_name_of_what_is_inlined_is_not_taken_for_one_of_its_caller():
    own, others = {"njit": njit, "N": 5.0}, {"njit": njit, "N": 3.0}
    text = "@njit(inline='always')\ndef {}(x):\n    return {}x{} + N\n"
    exec(compile(text.format("inlined", "", ""), "others.py", "exec"), others)
    own["inlined"] = others["inlined"]
    exec(compile(text.format("calls_it", "inlined(", ")"), "own.py", "exec"), own)
    assert own["calls_it"](1.0) == 9.0 and changes(own["calls_it"]) == ()
    own["N"] = 6.0
    assert changes(own["calls_it"]) == (
        "calls_it is compiled anew here: N is ⟨6.0⟩ now, not ⟨5.0⟩ as when it was compiled before",
    )


def test_a_global_in_the_body_of_a_parallel_loop_is_compared(stale):
    assert changes(stale) == (SAID,)
