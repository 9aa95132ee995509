"""What fresh processes must show: asked where all else is met, and told with its reason."""

from types import SimpleNamespace

import numpy as np
import pytest
from numba import njit

from numba_course.exercises.examination.children import Visit
from numba_course.exercises.examination.verdict import Finding
from numba_course.exercises.requirements.processes import EditsShow, SecondProcessCompilesNothing
from tests.exercises.toy import exercise


def seen(requirement, *visits, filled=False, **changes):
    """What the requirement finds where processes make these visits, one after the other."""
    left = list(visits)
    processes = SimpleNamespace(
        exercise=exercise(examples=lambda: [(np.ones(1),)], **changes),
        folder="nowhere",
        filled=filled,
        visit=lambda: left.pop(0),
    )
    finding = requirement.of_processes(processes)
    assert finding or not left
    return finding.seen if finding else ""


FIRST = Visit(compiled=("triple",), results=([3.0],))
LOADED = Visit(results=([3.0],))


@pytest.mark.parametrize(
    "visits, words",
    [
        ((FIRST, LOADED), ""),
        ((LOADED, LOADED), "nothing is compiled, not even by the first process"),
        ((FIRST, FIRST), "it compiled `triple` once more; is it made with cache=True?"),
        (
            (FIRST, Visit(compiled=("a", "b", "a"), why="it is so")),
            "it compiled `a`, `b` once more: it is so",
        ),
        ((FIRST, Visit(results=([4.0],))), "what it got from the cache is [4.0], expected np.array([3.0])"),
        ((Visit(Finding("ends by itself", "it died")),), "it died"),
        ((FIRST, Visit(Finding("ends by itself", "it died"))), "it died"),
    ],
)
def test_the_second_process_is_held_against_the_first_and_the_specification(visits, words):
    assert seen(SecondProcessCompilesNothing(), *visits) == words


def test_where_the_cache_is_filled_one_process_is_enough():
    assert seen(SecondProcessCompilesNothing(), LOADED, filled=True) == ""


def test_a_result_that_no_specification_gives_is_free():
    assert seen(SecondProcessCompilesNothing(), FIRST, Visit(results=(5,)), spec=lambda values: None) == ""


def test_each_edit_is_looked_at_in_two_processes():
    def after(edits, values):
        return values * edits

    edits = EditsShow((("a", "b"),), after, ((1,), (2,)))
    before, stale = Visit(results=([0.0],), probed=(1,)), Visit(results=([0.0],), probed=(2,))
    shown, kept = (Visit(compiled=names, results=([1.0],), probed=(2,)) for names in (("triple",), ()))
    assert seen(edits, before, shown, kept) == ""
    assert seen(edits, before, kept, kept) == ""
    assert seen(edits, before, stale).startswith("after `a` has become `b`, the result is [0.0]")
    assert seen(edits, before, shown, stale).startswith("after `a` has become `b`, the result is [0.0]")
    assert "the second process after that compiled it once more" in seen(edits, before, shown, shown)
    assert "are not what they were: (1,)" in seen(edits, before, before)
    assert seen(edits, shown).startswith("units.SCALE and units.step are not")


@pytest.mark.load
def test_it_is_asked_where_all_else_is_met():
    @njit
    def right(values):
        return 3.0 * values

    @njit
    def wrong(values):
        return 2.0 * values

    asked = exercise(SecondProcessCompilesNothing())
    verdict = asked.examine(right)
    assert (verdict.status, [finding.requirement for finding in verdict.findings]) == (
        "unmet",
        ["second process"],
    )
    verdict = asked.examine(wrong)
    assert (verdict.status, [finding.requirement for finding in verdict.findings]) == (
        "wrong",
        ["right result"],
    )
