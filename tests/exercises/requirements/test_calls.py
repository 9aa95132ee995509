"""Calls of an answer: what is raised in one of a requirement's own is told once, and what is compared is plain data."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from numba_course import exercises
from numba_course.exercises.requirements import Requirement
from numba_course.exercises.requirements.calls import RunsEverywhere, ask, told, unless_raised


class Silent(Exception):
    def __str__(self):
        raise RuntimeError("no words")


@dataclass(frozen=True)
class Doubles(Requirement):
    name = "doubles"

    @unless_raised
    def of_code(self, trial):
        for number in (1, 2):
            if ask(trial, f"f({number})", trial.answer, number) != 2 * number:
                return self.finding("no")
        return None


class Trial(SimpleNamespace):
    __hash__ = object.__hash__


@pytest.mark.parametrize(
    "error, words",
    [
        (ValueError("no 2"), "ValueError: no 2, in f(2)"),
        (KeyError, "KeyError, in f(2)"),
        (SystemExit(3), "SystemExit: 3, in f(2)"),
        (KeyboardInterrupt, "KeyboardInterrupt, in f(2)"),
        (Silent, "Silent, whose message cannot be made, in f(2)"),
        (ValueError("x" * 10**6), f"ValueError: {'x' * 300}, in f(2)"),
    ],
)
def test_whatever_is_raised_is_told_by_one_requirement(error, words):
    def answer(number):
        if number == 2:
            raise error
        return 2 * number

    trial = Trial(answer=answer)
    assert Doubles().of_code(trial) is None
    finding = RunsEverywhere().of_code(trial)
    assert finding.seen == words
    assert finding.line and finding.source == "raise error"
    assert RunsEverywhere.status == "raised"


def test_without_an_error_the_requirement_has_its_say():
    for factor, seen in ((2, None), (3, "no")):
        trial = Trial(answer=lambda number, factor=factor: factor * number)
        finding = Doubles().of_code(trial)
        assert (finding and finding.seen) == seen
        assert RunsEverywhere().of_code(trial) is None


def test_a_message_is_told_in_one_line():
    assert told(ValueError("two\n  lines")) == "ValueError: two lines"


PLAIN = (type(None), bool, int, float, complex, str, bytes, np.generic)
CALLED_OTHERWISE = [
    exercise
    for chapter in exercises.by_chapter().values()
    for exercise in chapter
    if exercise.call is not exercises.of_chapter("00_start_here")[0].call
]


def is_plain(value):
    if isinstance(value, dict):
        return all(map(is_plain, [*value, *value.values()]))
    if isinstance(value, list | tuple | set):
        return all(map(is_plain, value))
    return (isinstance(value, np.ndarray) and not value.dtype.hasobject) or isinstance(value, PLAIN)


@pytest.mark.parametrize("exercise", CALLED_OTHERWISE, ids=lambda exercise: exercise.name)
def test_a_call_that_is_more_than_a_call_gives_plain_data(exercise):
    if exercise.name == "map_over_cluster":
        pytest.importorskip("dask")
    args = list(exercise.examples())[1]
    assert is_plain(exercise.call(exercise.reference, *args))
    assert is_plain(exercise.spec(*args))
