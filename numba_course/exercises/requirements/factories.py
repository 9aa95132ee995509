"""Requirements on a factory of compiled functions: what it makes, and that it remembers what it made."""

from __future__ import annotations

import gc
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba.core import event
from numba.core.dispatcher import Dispatcher
from numba.np.ufunc.dufunc import DUFunc

from numba_course.exercises.examination.show import show
from numba_course.exercises.requirements import Requirement
from numba_course.exercises.requirements.results import difference

if TYPE_CHECKING:
    from numba_course.exercises.examination.trial import Run, Trial
    from numba_course.exercises.examination.verdict import Finding


def _is_compiled(function):
    return isinstance(function, (Dispatcher, DUFunc))


@dataclass(frozen=True)
class MakesCompiled(Requirement):
    """What the factory returns is compiled by Numba."""

    name = "compiled"
    status = "not compiled"

    def of_code(self, trial: Trial) -> Finding | None:
        if isinstance(trial.answer, Dispatcher):
            return self.finding("the factory itself is compiled; it must be plain Python")
        return None

    def of_run(self, run: Run) -> Finding | None:
        if _is_compiled(run.result):
            return None
        kind = "plain Python function" if callable(run.result) else type(run.result).__name__
        return self.finding(f"what it returned is no function compiled by Numba, but a {kind}")


@dataclass(frozen=True)
class Scales(Requirement):
    """The function multiplies numbers and arrays by its factor, to the sign of a zero, into something new."""

    name = "right result"
    status = "wrong"

    def of_run(self, run: Run) -> Finding | None:
        if not _is_compiled(run.result):
            return None  # `MakesCompiled` has said so
        for x in (1.5, np.array([1.0, -2.0, 0.0])):
            with np.errstate(invalid="ignore"):
                before, wanted = np.copy(x), run.expected(x)
            try:
                got = run.result(x)
            except Exception as error:
                return self.finding(f"for x={show(x)} it raised {type(error).__name__}")
            if difference(x, before, 0.0, "x"):
                return self.finding(f"it changed its argument `x`, which was {show(before)}")
            if seen := difference(got, wanted, 0.0, "the result") or _fault_of_type(got, wanted):
                return self.finding(f"{seen}, for x={show(x)}")
        return None


def _fault_of_type(got, wanted):
    """What is wrong with a result whose values are right."""
    if np.asarray(got).dtype != np.float64:
        return f"the result is of type {np.asarray(got).dtype}, not float64"
    if not np.array_equal(np.signbit(got), np.signbit(wanted)) and not np.isnan(wanted).any():
        return "the sign of a zero is lost"
    return ""


SAME = (
    (0.1, float("0.1")),
    (1, 1.0),
    (1.0, True),
    (np.float64(2.5), 2.5),
    (float("nan"), float("nan")),
    (math.inf, float("inf")),
)
DIFFERENT = ((0.0, -0.0), (0.1 + 0.2, 0.3), (0.1, np.float32(0.1)), (1e300, 2e300), (math.inf, -math.inf))
MANY = 2000


@dataclass(frozen=True)
class SameFloatSameFunction(Requirement):
    """One function for each float, and no two floats share one; it is kept, however many others there are."""

    name = "same float, same function"

    def of_code(self, trial: Trial) -> Finding | None:
        make = trial.answer
        try:
            for first, second in SAME:
                if make(first) is not make(second):
                    return self.finding(f"{first!r} and {second!r} are one float, and got two functions")
            for one, other in DIFFERENT:
                if make(one) is make(other):
                    return self.finding(f"{one!r} and {other!r} are two floats, and got one function")
            oldest = [make(1 / 3), make(2 / 3)]
            for number in range(MANY):
                make(1000.0 + number)
            if oldest != [make(1 / 3), make(2 / 3)]:
                return self.finding(f"after {MANY:,} other factors, a function was made anew")
        except Exception as error:
            return self.finding(f"the factory raised {type(error).__name__}: {error}")
        return None


@dataclass(frozen=True)
class CompilesOnce(Requirement):
    """Whoever asks again, and keeps no function, makes Numba compile nothing new."""

    name = "compilations"

    def of_code(self, trial: Trial) -> Finding | None:
        factors, values = (0.75, math.nan, -0.0), (2.0, np.ones(3))
        counts = []
        with event.install_recorder("numba:run_pass") as passes:
            for _ in range(3):
                before = len(passes.buffer)
                for factor in (float(repr(factor)) for factor in factors):
                    for x in values:
                        trial.answer(factor)(x)
                counts.append(len(passes.buffer) - before)
                gc.collect()
        if counts[0] == 0:
            return self.finding("Numba compiled nothing for factors that had not been asked for before")
        if any(counts[1:]):
            return self.finding("the second time that the same factors were asked for, Numba compiled again")
        return None
