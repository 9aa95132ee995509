"""Every instrument answers, or refuses as documented, whatever Numba's own tests compile: a small fixed sample.

The whole sweep takes as long as one gives it: ``python tests/lens/sweep.py 10`` (minutes); a workflow runs it weekly.
"""

from collections import Counter

import numpy as np
import pytest
from numba import njit

from numba_course.lens.race.detector import Races
from tests.lens.sweep import DOCUMENTED, QUICK, harvested, look, table

NUMBAS = [  # module of numba.tests, function, arguments, what the compiler's instruments must do
    ("usecases", "copy_arrays2d", (np.ones((2, 2)), np.zeros((2, 2))), "answered"),
    ("usecases", "andor", (1, 2), "answered"),
    ("usecases", "redefine1", (), "answered"),
    ("test_looplifting", "lift1", (3,), "answered"),
    ("test_generators", "gen3", (3,), "answered"),
    ("test_generators", "gen_unification_error", (), "refused"),
    ("test_flow_control", "for_loop_usecase6", (3, 4), "answered"),
    ("test_flow_control", "try_except_usecase", (), "answered"),
    ("test_mandelbrot", "is_in_mandelbrot", (0.5j,), "answered"),
]


@pytest.mark.parametrize(("module", "name", "arguments", "expected"), NUMBAS)
def test_a_function_of_numbas_tests_goes_through_every_quick_instrument(module, name, arguments, expected):
    fn = getattr(pytest.importorskip(f"numba.tests.{module}"), name)
    said = {instrument: look(instrument, njit(fn), arguments) for instrument in QUICK}
    assert not any(text.startswith("failed") for text in said.values()), said
    assert {said[instrument].partition(":")[0].partition(",")[0] for instrument in QUICK[:3]} == {expected}


@pytest.mark.load
@pytest.mark.parametrize("instrument", ["gil", "compare"])
@pytest.mark.parametrize(("name", "expected"), [("andor", "answered"), ("gen_unification_error", "refused")])
def test_the_slow_instruments_get_one_of_each_kind(instrument, name, expected):
    module = "usecases" if name == "andor" else "test_generators"
    fn = getattr(pytest.importorskip(f"numba.tests.{module}"), name)
    arguments = (1, 2) if name == "andor" else ()
    assert look(instrument, njit(fn), arguments).startswith(expected)


def test_what_is_not_documented_is_a_failure(monkeypatch):
    """The sweep can fail: an error of another class, and one of several lines."""
    fn = njit(lambda values: values)
    monkeypatch.setitem(DOCUMENTED, "types", (KeyError,))
    assert look("types", fn, ()).startswith("failed: TypeError")
    monkeypatch.setattr("numba_course.lens.cache", lambda fn: exec("raise TypeError('one\\ntwo')"))
    assert look("cache", fn, ()).startswith("failed: several lines")


def test_races_are_looked_for_in_the_parallel_function(monkeypatch):
    fn = njit(lambda n: n + 1)
    assert look("races", fn, (1,)) == "not checked: nothing of it runs in parallel for this input"
    monkeypatch.setattr(
        "numba_course.lens.races", lambda fn, *args: Races("not checked", reason="our bug: all")
    )
    assert look("races", fn, (1,)) == "failed: our bug: all"


def test_the_page_counts_refusals_by_reason():
    said = {
        "answered": 3,
        "refused: lens.types: f does not compile: No (line 3)": 2,
        "refused: lens.types: g does not compile: Unknown attribute 'a' | b": 1,
        "not checked: line 7 is not understood": 4,
    }
    page = list(table({"types": Counter(said)}, 10, 12))
    assert "| types | 3 | 4 | 3 | 0 |" in page
    assert page[-2:] == [
        "| types | line … is not understood | 4 | line 7 is not understood |",
        "| types | does not compile | 3 | lens.types: f does not compile: No (line 3) |",
    ]


@pytest.mark.load
def test_calls_are_harvested_from_numbas_tests(monkeypatch):
    monkeypatch.setattr("tests.lens.sweep.HARVESTING", 600)  # this module ends by itself
    calls = harvested(["numba.tests.test_mandelbrot"])
    assert len(calls) == 1
