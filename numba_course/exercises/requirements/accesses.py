"""Requirements on the memory that a compiled answer touches: inside the arrays, and without a race."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from numba.core.dispatcher import Dispatcher

from numba_course.exercises.examination.answer import line_in, python_function
from numba_course.exercises.requirements import Requirement
from numba_course.exercises.requirements.ufuncs import COMPILED, Checked
from numba_course.lens import errors
from numba_course.lens.compiled.dispatchers import calls_itself, hardly_optimised, wants_threads
from numba_course.lens.race.detector import Races, Settled, detect
from numba_course.process.sandbox import describe

if TYPE_CHECKING:
    from numba_course.exercises.examination.trial import Trial
    from numba_course.exercises.examination.verdict import Finding


DEEPEST = (
    1000  # elements for one that calls itself: with a test of each index LLVM makes no loop of its calls
)


@dataclass(frozen=True)
class InBounds(Requirement):
    """Every index lies inside its array, also where the result is right by luck."""

    name = "in bounds"
    apart = True

    def of_code(self, trial: Trial) -> Finding | None:
        if not isinstance(trial.answer, COMPILED):
            return None
        copy = Checked(trial.answer)
        deep = isinstance(trial.answer, Dispatcher) and calls_itself(trial.answer)
        compiled = {}  # dtype and layout do not change an index, so one of each is enough for numbers of axes
        for args in trial.inputs():
            arguments = trial.copies(args)
            if deep and max(map(np.size, args), default=0) > DEEPEST:
                continue
            kinds = tuple(map(_kind, arguments))
            if compiled.setdefault(tuple(map(np.ndim, args)), kinds) != kinds:
                continue
            try:
                with hardly_optimised():
                    copy(*arguments)
            except IndexError as error:
                return self._finding(trial, args, error)
            except BaseException as error:  # the calls raised nothing, or have said so
                seen = f"with tests of every index it failed: {errors.reason(error)}"
                return self.finding(seen, trial.show(args))
        return None

    def _finding(self, trial, args, error):
        """The bad index: plain Python says where, if it stumbles over the same one."""
        function, place, seen = python_function(trial.answer), (None, ""), describe(error).message
        try:
            function(*trial.copies(args))
        except IndexError as same:
            report = describe(same)
            place, seen = line_in(function, report.frames), report.message
        except BaseException:  # Python may stop at something else before; then only the fact is known
            pass
        line, source = place
        return self.finding(f"it reaches outside an array: {seen}", trial.show(args), line, source)


def _kind(value: Any) -> Any:
    """The type of a value for Numba; None where it has none."""
    try:
        return numba.typeof(value)
    except ValueError:
        return None


def race(requirement: Requirement, trial: Trial, args: tuple[Any, ...], races: Races) -> Finding | None:
    """The finding of a requirement where a call has a race; None where it has none, or none is known."""
    if races.verdict != "race":
        return None
    conflict = races.conflicts[0]
    seen, example = conflict.sentence(), trial.show(args)
    return requirement.finding(seen, example, conflict.line, conflict.source, repr(races))


def races_of(function: Dispatcher, calls: Iterable[tuple[Any, ...]]) -> Iterator[Races]:
    """What the interpreter finds of each call; the arguments are altered."""
    settled: Settled = {}
    for args in calls:
        with hardly_optimised():  # what the function calls: of itself no machine code is made
            races = detect(function, args, settled=settled)
        yield races


@dataclass(frozen=True)
class RaceFree(Requirement):
    """No two iterations of a parallel loop touch the same memory, one of them writing."""

    examples: Callable

    name = "race-free"
    apart = True

    def of_code(self, trial: Trial) -> Finding | None:
        if not isinstance(trial.answer, Dispatcher):
            return None
        examples = list(self.examples())
        for args, races in zip(examples, races_of(trial.answer, map(trial.copies, examples)), strict=True):
            if found := race(self, trial, args, races):
                return found
            if races.verdict == "not checked" and not races.nothing_parallel:
                seen = f"whether it races could not be found out: {races.reason}"
                return self.finding(seen, trial.show(args), full=repr(races))
        return None


LARGEST = 100  # elements, or what a whole number counts, in a call that is interpreted
INTERPRETED = 3  # calls


@dataclass(frozen=True)
class InAnyOrder(Requirement):
    """The result of an answer that may use threads, and need not, is not left to luck: none of its loops races.

    Where that is not found out nothing is said: nobody asked for a parallel loop.
    """

    name = "right in any order of iterations"
    status = "wrong"
    apart = True

    def of_code(self, trial: Trial) -> Finding | None:
        if not isinstance(trial.answer, Dispatcher) or not wants_threads(trial.answer):
            return None
        small = sorted((args for args in trial.inputs() if _amount(args) <= LARGEST), key=_amount)
        small = small[-INTERPRETED:]
        for args, races in zip(small, races_of(trial.answer, map(trial.copies, small)), strict=True):
            if found := race(self, trial, args, races):
                return found
        return None


def _amount(args):
    """How much there is to do, roughly."""
    return max((int(value) if isinstance(value, int) else np.size(value) for value in args), default=0)
