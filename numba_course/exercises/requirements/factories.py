"""Requirements on a factory of compiled functions: what it makes, and that it remembers what it made."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
from numba.core import decorators as jit_decorators
from numba.core import event
from numba.core.dispatcher import Dispatcher
from numba.np.ufunc import decorators as ufunc_decorators
from numba.np.ufunc import dufunc
from numba.np.ufunc.dufunc import DUFunc

from numba_course.exercises.examination.show import show
from numba_course.exercises.requirements import Requirement
from numba_course.exercises.requirements.calls import ask, unless_raised
from numba_course.exercises.requirements.results import difference

if TYPE_CHECKING:
    from numba_course.exercises.examination.judge import Run
    from numba_course.exercises.examination.trial import Trial
    from numba_course.exercises.examination.verdict import Finding


def arguments() -> tuple[Any, ...]:
    """What a function that was made is called with: numbers and float64 arrays, new ones each time."""
    return 1.5, np.array([1.0, -2.0, 0.0]), np.arange(2000.0)[::2], np.zeros(0), 3


def made_and_used(answer: Callable, factor: Any) -> dict[str, Any]:
    """What the factory makes of a factor, as plain data.

    Returns
    -------
    dict
        ``kind``: what it made, in words; empty for a function compiled by Numba. ``results``: what that function
        gives for each of `arguments`. ``faults``: what it did to each of them; empty if nothing.
    """
    made = answer(factor)
    if kind := _kind(made):
        return {"kind": kind, "results": [], "faults": []}
    results, faults = [], []
    for x in arguments():
        before = np.copy(x)
        with np.errstate(all="ignore"):  # NumPy warns of NaN where a ufunc meets it
            results.append(made(x))
        faults.append(_fault_of_memory(results[-1], x, before))
    return {"kind": "", "results": results, "faults": faults}


def _kind(made):
    """What was made, in words, where it is no function compiled by Numba."""
    if isinstance(made, Dispatcher) and made.targetoptions.get("forceobj"):
        return "function in object mode"
    if isinstance(made, (Dispatcher, DUFunc)):
        return ""
    return "plain Python function" if callable(made) else type(made).__name__


def _fault_of_memory(result, x, before):
    """What a call did to its argument, or shares with it."""
    if difference(x, before, 0.0, "x"):
        return f"it changed its argument `x`, which was {show(before)}"
    if isinstance(result, np.ndarray) and np.shares_memory(result, x):
        return "it returned its argument `x`, or a view of it, where a new array is asked"
    return ""


@dataclass(frozen=True)
class MakesCompiled(Requirement):
    """What the factory returns is compiled by Numba; a call is one of `made_and_used`."""

    name = "compiled"
    status = "not compiled"

    def of_code(self, trial: Trial) -> Finding | None:
        if isinstance(trial.answer, Dispatcher):
            return self.finding("the factory itself is compiled; it must be plain Python")
        return None

    def of_run(self, run: Run) -> Finding | None:
        kind = run.result["kind"]
        return self.finding(
            f"what it returned is no function compiled by Numba, but a {kind}" if kind else ""
        )


@dataclass(frozen=True)
class Scales(Requirement):
    """The function multiplies numbers and arrays by its factor, to the sign of a zero, into something new.

    A call is one of `made_and_used`; the specification gives the results.
    """

    name = "right result"
    status = "wrong"

    def of_run(self, run: Run) -> Finding | None:
        calls = zip(arguments(), run.result["results"], run.result["faults"], run.expected, strict=False)
        for x, got, fault, wanted in calls:
            fault = fault or difference(got, wanted, 0.0, "the result") or _fault_of_type(got, wanted)
            if fault:
                return self.finding(f"{fault}, for x={show(x)}")
        return None


def _fault_of_type(got, wanted):
    """What is wrong with a result whose values are right."""
    if np.asarray(got).dtype != np.float64:
        return f"the result is of type {np.asarray(got).dtype}, not float64"
    same = (np.signbit(got) == np.signbit(wanted)) | np.isnan(wanted)
    return "" if np.all(same) else "the sign of a zero is lost"


SAME = (
    (0.1, float("0.1")),
    (1, 1.0),
    (1.0, True),
    (np.float64(2.5), 2.5),
    (float("nan"), float("nan")),
    (math.inf, float("inf")),
    (10**300, 1e300),
)
DIFFERENT = (
    (0.0, -0.0),
    (0.1 + 0.2, 0.3),
    (0.1, np.float32(0.1)),
    (1e300, 2e300),
    (math.inf, -math.inf),
    (math.inf, math.nan),
    (1.0, math.nextafter(1.0, 2.0)),
    (1e-30, 2e-30),
    (5e-324, 1e-323),
    (5e-324, 0.0),
    (-5e-324, -0.0),
    (2.0**53, 2.0**53 + 2.0),
    (-1.0, -2.0),  # of one hash, as are those below
    (1.0, 2.0**61),
    (0.5, 2.0**60),
    (math.inf, 314159.0),
    (-math.inf, -314159.0),
)
MANY = 20_000  # more than any cache of a fixed size is likely to have


class Unmade:
    """In the place of a compiled function that is kept and never called for its result."""

    def __call__(self, *args: Any, **named: Any) -> Unmade:
        return self

    def __getattr__(self, name: str) -> Unmade:
        if name.startswith("__"):
            raise AttributeError(name)
        return self


@contextmanager
def hardly_made() -> Iterator[None]:
    """Have @njit and @vectorize give an `Unmade`: thousands of real functions take minutes and gigabytes."""
    with (
        mock.patch.object(jit_decorators, "_jit", lambda *args, **named: lambda function: Unmade()),
        mock.patch.object(ufunc_decorators, "Vectorize", lambda *args, **named: Unmade()),  # with signatures
        mock.patch.object(dufunc, "DUFunc", lambda *args, **named: Unmade()),  # and without
    ):
        yield


@dataclass(frozen=True)
class SameFloatSameFunction(Requirement):
    """One function for each float, and no two floats share one; it is kept, however many others there are."""

    name = "same float, same function"

    @unless_raised
    def of_code(self, trial: Trial) -> Finding | None:
        def make(factor):
            return ask(trial, f"make_scaler({factor!r})", trial.answer, factor)

        with hardly_made():
            return self.finding(self._confused(make) or self._forgotten(make))

    def _confused(self, make):
        """The first pair that is taken for what it is not."""
        for first, second in SAME:
            if make(first) is not make(second):
                return f"{first!r} and {second!r} are one float, and got two functions"
        for one, other in DIFFERENT:
            if make(one) is make(other):
                return f"{one!r} and {other!r} are two floats, and got one function"
        return ""

    def _forgotten(self, make):
        """Whether a function is made anew after many others."""
        oldest = [make(1 / 3), make(2 / 3)]
        for number in range(MANY):
            make(1000.5 + number)
        kept = oldest[0] is make(1 / 3) and oldest[1] is make(2 / 3)
        return "" if kept else f"after {MANY:,} other factors, a function was made anew"


@dataclass(frozen=True)
class Independent(Requirement):
    """A function keeps its factor whatever is made after it, and whatever it is called with for the first time then."""

    name = "right result"
    status = "wrong"

    @unless_raised
    def of_code(self, trial: Trial) -> Finding | None:
        factors = (2.5, -3.0, 0.25)
        made = [ask(trial, f"make_scaler({factor})", trial.answer, factor) for factor in factors[:2]]
        seen = self._of(trial, made[0], *factors[:2])
        made.append(ask(trial, f"make_scaler({factors[2]})", trial.answer, factors[2]))
        return seen or self._of(trial, made[1], *factors[1:])

    def _of(self, trial, scale, factor, later):
        """What is wrong with a function that is called for the first time when another one was made."""
        for x in arguments():
            called = f"make_scaler({factor})({show(x)})"
            result = ask(trial, called, scale, *trial.copies((x,)))
            if seen := difference(result, factor * x, 0.0, "the result"):
                return self.finding(f"when make_scaler({later}) has been called, too, {seen}", called)
        return None


@dataclass(frozen=True)
class CompilesOnce(Requirement):
    """Whoever asks again, and keeps no function, makes Numba compile nothing new."""

    name = "compilations"

    @unless_raised
    def of_code(self, trial: Trial) -> Finding | None:
        with event.install_recorder("numba:run_pass") as passes:
            counts = []
            for _ in range(3):
                before = len(passes.buffer)
                ask(trial, "make_scaler(factor)(x)", self._use, trial.answer)
                counts.append(len(passes.buffer) - before)
                gc.collect()
        if counts[0] == 0:
            return self.finding("Numba compiled nothing for factors that had not been asked for before")
        if any(counts[1:]):
            return self.finding("the second time that the same factors were asked for, Numba compiled again")
        return None

    def _use(self, make):
        for factor in (0.75, math.nan, -0.0):
            for x in (2.0, np.ones(3)):
                make(float(repr(factor)))(x)
