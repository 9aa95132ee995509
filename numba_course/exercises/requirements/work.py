"""A requirement on how much an answer does, in elements that are read, written and computed: never in seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from numba.core.dispatcher import Dispatcher

from numba_course.exercises.requirements import Requirement
from numba_course.exercises.requirements.counters import Counted
from numba_course.lens.errors import reason

if TYPE_CHECKING:
    from numba_course.exercises.examination.trial import Trial
    from numba_course.exercises.examination.verdict import Finding


@dataclass(frozen=True)
class WorkStays(Requirement):
    """No call does much more than the first one.

    What the machine code does is counted, in all that it calls, too: each element that is read, written or computed.

    Attributes
    ----------
    calls : callable
        () -> argument tuples of the same types; each may take at most `factor` times the work of the first.
    what : str
        What grows from the first to the others, such as ``the window``.
    factor : float
    """

    calls: Callable
    what: str
    factor: float = 15.0

    name = "amount of work"
    apart = True

    def of_code(self, trial: Trial) -> Finding | None:
        if not isinstance(trial.answer, Dispatcher):
            return None  # `Compiled` has said so; what fills a new array of another length is no ufunc
        counted, least = Counted(trial.answer), 0
        for args in self.calls():
            try:
                work = counted.counts(trial.copies(args)).work
            except BaseException as error:
                seen = f"how much it does could not be counted: {reason(error)}"
                return self.finding(seen, trial.show(args))
            if counted.calls_python:
                seen = "how much it does could not be counted: it calls Python, where nothing is seen"
                return self.finding(seen, trial.show(args))
            least = least or work
            if work > self.factor * least:
                times = f"{work / least:.0f} times as much as for the smallest"
                return self.finding(f"its work grows with {self.what}: {times}", trial.show(args))
        return None
