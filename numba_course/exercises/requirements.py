"""What an exercise asks of an answer: small values, each looking at one thing.

A requirement has a `name` that the card shows, the `status` that it gives when it is not met, and one or both of

- ``of_run(run)``: look at one call of the answer (a `trial.Run`); return what is wrong in a sentence, or "";
- ``of_code(trial)``: look at the answer as a whole (a `trial.Trial`); return a `Finding`, or None. If it is `early`,
  before the answer is called as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar
from unittest import mock

import numba
import numpy as np
from numba.core.dispatcher import Dispatcher
from numba.np.ufunc.dufunc import DUFunc
from numba.np.ufunc.gufunc import GUFunc

from numba_course.exercises.answers import line_in, python_function
from numba_course.exercises.show import LONGEST, show, show_type
from numba_course.exercises.verdict import Finding
from numba_course.lens import dispatchers, results
from numba_course.lens.races import detect
from numba_course.sandbox import describe

STARTS_THREADS = re.compile(r"\bcall\b.*@numba_parallel_for\b")  # in LLVM IR


class Requirement:
    """Nothing is asked by default; a requirement overrides the side that it looks at."""

    name: ClassVar[str]
    status: ClassVar[str] = "unmet"
    early: ClassVar[bool] = False

    def of_run(self, run):
        return ""

    def of_code(self, trial):
        return None


@dataclass(frozen=True)
class Compiled(Requirement):
    """The answer is compiled by Numba in nopython mode."""

    name: ClassVar[str] = "compiled"
    status: ClassVar[str] = "not compiled"
    early: ClassVar[bool] = True

    def of_code(self, trial):
        answer = trial.answer
        if isinstance(answer, (DUFunc, GUFunc)):
            return None
        if not isinstance(answer, Dispatcher):
            return Finding(self.name, "this is a plain Python function; decorate it with @njit")
        if answer.targetoptions.get("forceobj"):
            return Finding(self.name, "forceobj=True runs it as Python objects; use @njit")
        return None


@dataclass(frozen=True)
class Parallel(Requirement):
    """At least one loop of the answer runs on several threads."""

    name: ClassVar[str] = "parallel"

    def of_code(self, trial):
        if not isinstance(trial.answer, Dispatcher):
            return Finding(self.name, "nothing in it can run on several threads")
        # Callees are linked in, so the code of the answer shows theirs as well.
        if any(STARTS_THREADS.search(code) for code in trial.answer.inspect_llvm().values()):
            return None
        if not trial.answer.targetoptions.get("parallel"):
            return Finding(self.name, "parallel=True is missing: prange is then an ordinary range")
        return Finding(self.name, "parallel=True is there, but Numba found no loop to run in parallel")


@dataclass(frozen=True)
class Matches(Requirement):
    """The answer gives what the specification gives.

    Attributes
    ----------
    rtol : float
        Allowed error of a float, relative to the largest expected magnitude.
    of : str
        The argument to compare after the call; empty for the returned value.
    """

    rtol: float = 0.0
    of: str = ""

    name: ClassVar[str] = "right result"
    status: ClassVar[str] = "wrong"

    def of_run(self, run):
        if self.of:
            return difference(run.after[self.of], run.expected_after[self.of], self.rtol, self.of)
        if run.result is None and run.expected is not None:
            return "it returned None; is a `return` missing?"
        return difference(run.result, run.expected, self.rtol, "the result")


@dataclass(frozen=True)
class Returns(Requirement):
    """The result has this dtype and this number of axes (0 for a scalar)."""

    dtype: str
    ndim: int

    name: ClassVar[str] = "type of the result"
    status: ClassVar[str] = "wrong"

    def of_run(self, run):
        wanted = show_type(np.empty((0,) * self.ndim, self.dtype)) if self.ndim else self.dtype
        result = np.asarray(run.result)
        if isinstance(run.result, (list, tuple, set, dict)):
            return f"it returned a {type(run.result).__name__} where a {wanted} is asked"
        if result.ndim == self.ndim and (
            result.dtype == self.dtype or (self.ndim == 0 and _same_kind(result, self.dtype))
        ):
            return ""
        return f"it returned {show_type(run.result)} where {wanted} is asked"


@dataclass(frozen=True)
class LeavesInputsAlone(Requirement):
    """The arguments are the same after the call, but for those that are named."""

    except_: tuple[str, ...] = ()

    name: ClassVar[str] = "leaves its inputs alone"
    status: ClassVar[str] = "wrong"

    def of_run(self, run):
        for name, before in run.before.items():
            if name not in self.except_ and difference(run.after[name], before, 0.0, name):
                return f"it changed its argument `{name}`"
        return ""


@contextmanager
def hardly_optimised():
    """Have Numba compile without most passes of LLVM: enough for code that is called for its errors alone."""
    with mock.patch.object(numba.config, "OPT", 0):
        yield


@dataclass(frozen=True)
class InBounds(Requirement):
    """Every index lies inside its array, also where the result is right by luck."""

    name: ClassVar[str] = "in bounds"

    def of_code(self, trial):
        if not isinstance(trial.answer, Dispatcher):
            return None
        # Inside a parallel region an IndexError is lost, so the same code is compiled for one thread.
        checked = dispatchers.rebuilt(trial.answer, boundscheck=True, parallel=False)
        compiled = {}  # dtype and layout do not change an index, so one of each is enough for numbers of axes
        for args in trial.inputs():
            arguments = trial.copies(args)
            kinds = tuple(map(checked.typeof_pyval, arguments))
            if compiled.setdefault(tuple(map(np.ndim, args)), kinds) != kinds:
                continue
            try:
                with hardly_optimised():
                    checked(*arguments)
            except IndexError as error:
                return self._finding(trial, args, error)
            except Exception as error:  # the calls raised nothing, or have said so
                seen = f"with tests of every index it failed: {dispatchers.reason(error)}"
                return Finding(self.name, seen, trial.show(args))
        return None

    def _finding(self, trial, args, error):
        """The bad index: plain Python says where, if it stumbles over the same one."""
        function, place, seen = python_function(trial.answer), (None, ""), str(error)
        try:
            function(*trial.copies(args))
        except IndexError as same:
            place, seen = line_in(function, describe(same).frames), str(same)
        except Exception:  # Python may stop at something else before; then only the fact is known
            pass
        line, source = place
        return Finding(self.name, f"it reaches outside an array: {seen}", trial.show(args), line, source)


@dataclass(frozen=True)
class RaceFree(Requirement):
    """No two iterations of a parallel loop touch the same memory, one of them writing."""

    examples: Callable

    name: ClassVar[str] = "race-free"

    def of_code(self, trial):
        if not isinstance(trial.answer, Dispatcher):
            return None
        for args in self.examples():
            with hardly_optimised():  # what the answer calls: of itself no machine code is made
                races = detect(trial.answer, trial.copies(args))
            if races.verdict == "race":
                conflict = races.conflicts[0]
                return Finding(
                    self.name,
                    conflict.sentence(),
                    trial.show(args),
                    conflict.line,
                    conflict.source,
                    repr(races),
                )
            if races.verdict == "not checked" and not races.nothing_parallel:
                seen = f"whether it races could not be found out: {races.reason}"
                return Finding(self.name, seen, trial.show(args), full=repr(races))
        return None


def difference(actual, expected, rtol, what):
    """Say how `actual` differs from `expected`, shape first and then values, or return "" when they agree."""
    if isinstance(expected, tuple):
        if not isinstance(actual, tuple) or len(actual) != len(expected):
            return f"{what} is {show(actual)}, expected a tuple of {len(expected)}"
        pairs = zip(actual, expected, strict=True)
        return next((text for a, e in pairs if (text := difference(a, e, rtol, what))), "")
    if isinstance(expected, (str, bytes, type(None))) or actual is None:
        same = type(actual) is type(expected) and actual == expected
        return "" if same else f"{what} is {show(actual)}, expected {show(expected)}"
    try:
        actual_array, expected_array = np.asarray(actual), np.asarray(expected)
    except ValueError:  # of rows that are not of one length
        actual_array = None
    if actual_array is None or actual_array.dtype.kind not in "biufc":
        return f"{what} is {show(actual)}, which is not a number or an array of numbers"
    if actual_array.shape != expected_array.shape:
        return f"{what} has shape {actual_array.shape}, expected {expected_array.shape}"
    same = results.agreement(actual_array, expected_array, rtol)
    if same.all():
        return ""
    if expected_array.ndim and expected_array.size > LONGEST:
        index = results.first_difference(same)
        place = ", ".join(map(str, index))
        return f"{what} has {actual_array[index]} at [{place}], expected {expected_array[index]}"
    return f"{what} is {show(actual)}, expected {show(expected)}"


def _same_kind(scalar, dtype):
    """Compiled functions return Python scalars: an int for any integer dtype, a float for any float."""
    return np.asarray(scalar).dtype.kind == np.dtype(dtype).kind
