"""Results of any kind get a sentence; an argument that an exercise does not have is its author's fault."""

from types import SimpleNamespace

import numpy as np
import pytest

from numba_course.exercises.examination.trial import Trial
from numba_course.exercises.requirements.results import (
    LeavesInputsAlone,
    Matches,
    NewArray,
    Returns,
    ReturnsLike,
    ReturnsListOfInts,
    Within,
)
from tests.exercises.toy import exercise

RAGGED = (np.zeros(2), np.zeros(3))


def run(result, **more):
    values = {"values": np.arange(3.0)}
    given = {
        "before": values,
        "after": values,
        "expected_after": values,
        "expected": np.arange(3.0),
        "shared": (),
        "unlocked": (),
    }
    return SimpleNamespace(result=result, **given | more)


class Opaque:
    """What is no data."""

    def __array__(self, *_):
        raise SystemError("not for you")


@pytest.mark.parametrize(
    "result", [RAGGED, list(RAGGED), {"a": 1}, {1}, "text", None, Opaque(), object(), 1j]
)
@pytest.mark.parametrize("requirement", [Matches(), Returns("float64", ndim=1), Within(lambda values: 1.0)])
def test_a_result_of_another_kind_is_a_finding(requirement, result):
    assert requirement.of_run(run(result)).seen


@pytest.mark.parametrize(
    "requirement", [Matches(of="valeus"), LeavesInputsAlone(except_=("valeus",)), ReturnsLike("valeus")]
)
def test_an_argument_that_there_is_not_is_named_with_those_there_are(requirement):
    with pytest.raises(TypeError, match=r"'valeus', and the exercise has values"):
        requirement.of_run(run(np.arange(3.0)))


@pytest.mark.parametrize("odd", [1.5, True, "3", None, (1, 2)])
def test_an_odd_element_is_shown(odd):
    assert ", where int is asked" in ReturnsListOfInts().of_run(run([1, odd])).seen


@pytest.mark.parametrize(("answer", "shared"), [(np.copy, []), (lambda values: values[1:], [0])])
def test_where_an_answer_runs_it_is_seen_whether_its_result_is_in_the_memory_of_an_argument(answer, shared):
    status, came = Trial(answer, exercise().without_answer()).call((np.arange(3.0),))
    assert (status, came[2]) == ("done", shared)


@pytest.mark.parametrize(
    ("answer", "unlocked"), [(np.copy, []), (lambda values: values.setflags(write=True), [0])]
)
def test_where_an_answer_runs_it_is_seen_whether_an_argument_is_still_read_only(answer, unlocked):
    locked = np.arange(3.0)
    locked.flags.writeable = False
    status, came = Trial(answer, exercise().without_answer()).call((locked,))
    assert (status, came[3]) == ("done", unlocked)


def test_an_argument_that_is_unlocked_is_changed():
    assert "`values`: it was read-only" in LeavesInputsAlone().of_run(run(1.0, unlocked=("values",))).seen
    assert LeavesInputsAlone(except_=("values",)).of_run(run(1.0, unlocked=("values",))) is None


def test_memory_is_shared_as_the_run_says():
    assert NewArray().of_run(run(np.arange(3.0))) is None
    assert "`values` itself" in NewArray().of_run(run(np.arange(3.0), shared=("values",))).seen
