"""Requirements on an answer that returns the source text of a function."""

from __future__ import annotations

import ast
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING

from numba import njit
from numba.core.errors import NumbaError

from numba_course.exercises.requirements import Requirement
from numba_course.exercises.requirements.results import difference
from numba_course.lens.errors import reason

if TYPE_CHECKING:
    from numba_course.exercises.examination.trial import Run, Trial
    from numba_course.exercises.examination.verdict import Finding


def first_function(text: str) -> types.FunctionType:
    """Run `text` and return the first function that it defines.

    Raises
    ------
    ValueError
        If there is none, or it is not a plain one; the message says so.
    """
    names = [part.name for part in ast.parse(text).body if isinstance(part, ast.FunctionDef)]
    if not names:
        raise ValueError("the text defines no function")
    module = {}
    exec(text, module)
    function = module[names[0]]
    if not isinstance(function, types.FunctionType):
        raise ValueError(
            f"in the text, {names[0]} must be a plain function; leave it to others to compile it"
        )
    return function


@dataclass(frozen=True)
class ComputesInOrder(Requirement):
    """The answer returns text, and the first function of the text computes what it must for some values."""

    values: tuple[float, ...]

    name = "right result"
    status = "wrong"

    def of_run(self, run: Run) -> Finding | None:
        if not isinstance(run.result, str):
            seen = f"it returned a value of type {type(run.result).__name__} where source text is asked"
            return self.finding(seen)
        try:
            function = first_function(run.result)
            found = [function(x) for x in self.values]
        except SyntaxError as error:
            return self.finding(f"the text is not Python: {error.msg}, line {error.lineno} of the text")
        except Exception as error:
            raised = f"the function in the text raised {type(error).__name__}"
            said = str(error) if isinstance(error, ValueError) else f"{raised}: {error}"
            return self.finding(said or raised)
        for x, actual, expected in zip(self.values, found, run.expected, strict=True):
            if seen := difference(actual, expected, 1e-12, f"the function at {x}"):
                return self.finding(seen)
        return None


@dataclass(frozen=True)
class CompilesUnderNjit(Requirement):
    """What is in the text compiles, and still computes the same for a value."""

    value: float

    name = "the text compiles under njit"
    status = "not compiled"

    def of_code(self, trial: Trial) -> Finding | None:
        for args in trial.exercise.examples():
            try:
                function = first_function(trial.answer(*trial.copies(args)))
                plain = function(self.value)
            except Exception:  # another requirement says so
                return None
            try:
                compiled = njit(function)(self.value)
            except NumbaError as error:
                return self.finding(reason(error), trial.show(args))
            if seen := difference(compiled, plain, 1e-12, "compiled, the result"):
                return self.finding(seen, trial.show(args))
        return None
