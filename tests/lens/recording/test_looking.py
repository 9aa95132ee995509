"""What is found out about what was called: by the smallest arguments that show something, and inside compiled code."""

import numpy as np
import pytest
from numba import njit, prange

from numba_course.lens.properties import HOLDS, NOT_CHECKED, NOT_CONCERNED
from numba_course.lens.recording import calls, looking
from numba_course.lens.recording.calls import Recorder
from numba_course.lens.recording.looking import from_data, look


@njit
def scaled(row, by=1.0, plus=0.0):
    for i in range(row.size):
        row[i] = row[i] * by + plus


@njit
def never(x):
    return x


@njit(parallel=True)
def every(rows, deeper):
    for i in prange(len(rows)):
        scaled(rows[i], plus=2.0)
    if deeper:
        never(1)


@njit
def refused(x):
    return x.nothing


@njit(parallel=True)
def collide(counts):
    for i in prange(counts.size):
        counts[0] += i


def looked(recorder, *more):
    return {one.name.rpartition(".")[2]: one for one in look(recorder.called, *more)}


@pytest.fixture(scope="module")
def found():
    with Recorder().recording() as recorder:
        recorder.where = "a test"
        every(np.ones((1, 1)), False), every(np.ones((3, 4)), False)
        with pytest.raises(Exception, match="nothing"):
            refused(1)
    return looked(recorder, 600.0)


def test_what_shows_nothing_is_not_what_is_looked_at(found):
    assert found["every"].seen["race"].verdict == HOLDS and found["every"].calls == 2
    assert found["every"].where == "a test"


def test_what_only_compiled_code_calls_is_looked_at_with_the_arguments_that_it_is_called_with(found):
    inner = found["scaled"]
    assert inner.calls == 0 and "every" in inner.where
    assert inner.signature == "(array(float64, 1d, C), omitted(default=1.0), float64)"
    assert inner.seen["loops"].short == "1 packed" and inner.seen["race"].verdict == NOT_CONCERNED


def test_what_is_not_reached_is_named_and_what_never_compiled_is_not(found):
    assert (
        found["never"].seen["loops"].verdict == NOT_CHECKED
        and "no caller" in found["never"].seen["loops"].said
    )
    assert set(found) == {"every", "scaled", "never"}


def test_all_of_it_is_plain_data(found):
    assert {name: from_data(one.as_data()) for name, one in found.items()} == found


def test_races_that_are_meant_are_allowed_by_function_and_after_its_time_nothing_is_looked_at():
    with Recorder().recording() as recorder:
        never(1), collide(np.zeros(4))
    allowed = looked(recorder, 600.0, {"collide": ["counts", "weights"]})["collide"]
    assert (allowed.seen["race"].verdict, allowed.seen["race"].short) == (HOLDS, "allowed")
    assert allowed.used == ("counts",)
    late = looked(recorder, -1.0)
    assert list(late) == ["collide", "never"]  # what is parallel comes first
    assert late["collide"].is_late and {seen.verdict for seen in late["collide"].seen.values()} == {
        NOT_CHECKED
    }


def test_calls_are_counted_also_after_those_that_are_looked_at(monkeypatch):
    monkeypatch.setattr(calls, "LOOKED_AT", 5)
    monkeypatch.setattr(looking, "LOOKED_AT", 5)
    with Recorder().recording() as recorder:
        for n in range(9):
            never(n)
    assert (looked(recorder, -1.0)["never"].calls, looked(recorder, -1.0)["never"].more_calls) == (9, False)
    with Recorder().recording() as recorder:
        for n in range(9):
            never(n), never(1.0)
    found = [(one.calls, one.more_calls) for one in look(recorder.called, -1.0)]
    assert found == [(3, True), (2, True)]
