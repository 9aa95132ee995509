"""Calls that a requirement makes of the answer: what is raised there is kept, and one requirement tells it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from numba_course.exercises.examination.answer import line_in
from numba_course.exercises.requirements import Requirement
from numba_course.process.child import describe

if TYPE_CHECKING:
    from numba_course.exercises.examination.trial import Trial
    from numba_course.exercises.examination.verdict import Finding

OfCode = TypeVar("OfCode", bound=Callable[..., Any])
LONGEST = 300  # characters of a message that are told


class Raised(Exception):
    """The answer raised where a requirement called it: nothing more can be said, and `RunsEverywhere` tells it."""


def ask(trial: Trial, what: str, function: Callable, *args: Any, **named: Any) -> Any:
    """Make a call that runs code of the answer.

    Parameters
    ----------
    trial : Trial
        Whose answer it is.
    what : str
        The call, as a finding names it.
    function, *args, **named
        What is called.

    Raises
    ------
    Raised
        If it raises anything; the error is kept for `RunsEverywhere`.
    """
    try:
        return function(*args, **named)
    except BaseException as error:  # sys.exit in an answer is an answer that raised
        _kept(trial).append((what, error))
        raise Raised from error


def unless_raised(of_code: OfCode) -> OfCode:
    """Let an `of_code` find nothing where the answer raises in a call that is made by `ask`."""

    @functools.wraps(of_code)
    def guarded(self, trial):
        try:
            return of_code(self, trial)
        except Raised:
            return None

    return guarded  # type: ignore[return-value]


@functools.cache
def _kept(trial):
    """What calls of this trial raised: pairs of a call and an error."""
    return []


def told(error: BaseException) -> str:
    """Class and message of an error, in one line; the message may be long, or fail itself."""
    kind = type(error).__name__
    try:
        said = " ".join(str(error).split())[:LONGEST]
    except BaseException:
        return f"{kind}, whose message cannot be made"
    return f"{kind}: {said}" if said else kind


@dataclass(frozen=True)
class RunsEverywhere(Requirement):
    """No call that the requirements before it in the list made of the answer raised."""

    name = "runs without an error"
    status = "raised"

    def of_code(self, trial: Trial) -> Finding | None:
        for what, error in _kept(trial):
            report = describe(error)
            place = line_in(trial.answer, report.frames)
            return self.finding(f"{told(error)}, in {what}", "", *place, report.full)
        return None
