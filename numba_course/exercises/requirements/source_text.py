"""Requirements on an answer that returns the source text of a function."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numba import njit
from numba.core.errors import NumbaError

from numba_course.exercises.examination.show import show
from numba_course.exercises.requirements import Requirement
from numba_course.exercises.requirements.calls import ask, told, unless_raised
from numba_course.exercises.requirements.results import difference
from numba_course.lens.errors import reason
from numba_course.syntax import parse

if TYPE_CHECKING:
    from numba_course.exercises.examination.judge import Run
    from numba_course.exercises.examination.trial import Trial
    from numba_course.exercises.examination.verdict import Finding


class _Unsuitable(ValueError):
    """There is no function in the text that could be called."""


def first_function(text: str) -> types.FunctionType:
    """Run `text` and return the first function that it defines.

    Raises
    ------
    ValueError
        If there is none, or it is not a plain one; the message says so.
    Exception
        Whatever the text raises.
    """
    names = [name for part in parse(text).body for name in _defined(part)]
    if not names:
        raise _Unsuitable("the text defines no function")
    module = {}
    exec(text, module)
    function = module[names[0]]
    if not isinstance(function, types.FunctionType):
        raise _Unsuitable(
            f"in the text, {names[0]} must be a plain function; leave it to others to compile it"
        )
    return function


def _defined(statement):
    """The name of the function that a statement defines, if it does: by def, or by lambda."""
    if isinstance(statement, ast.FunctionDef):
        yield statement.name
    elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Lambda):
        yield from (target.id for target in statement.targets if isinstance(target, ast.Name))


def composed(answer: Callable, names: list[str], values: tuple[float, ...]) -> dict[str, Any]:
    """What the text of the answer computes, as plain data.

    Returns
    -------
    dict
        ``fault``: what is wrong with the text, in a sentence; empty if nothing. ``results``: what the first function
        in it gives for each value.
    """
    return _evaluated(answer(names), values)


def _evaluated(text, values):
    if not isinstance(text, str):
        fault = f"it returned a value of type {type(text).__name__} where source text is asked"
        return {"fault": fault, "results": []}
    try:
        function = first_function(text)
        return {"fault": "", "results": [function(x) for x in values]}
    except SyntaxError as error:
        fault = f"the text is not Python: {error.msg}, line {error.lineno} of the text"
    except _Unsuitable as error:
        fault = str(error)
    except BaseException as error:  # sys.exit in the text as well
        fault = f"the function in the text raised {told(error)}"
    return {"fault": fault, "results": []}


@dataclass(frozen=True)
class ComputesInOrder(Requirement):
    """The answer returns text, and the first function of the text computes what it must for some values.

    A call is one of `composed` with these values; the specification gives the results.
    """

    values: tuple[float, ...]

    name = "right result"
    status = "wrong"

    def of_run(self, run: Run) -> Finding | None:
        if run.result["fault"]:
            return self.finding(run.result["fault"])
        for x, actual, expected in zip(self.values, run.result["results"], run.expected, strict=True):
            if seen := difference(actual, expected, 1e-12, f"the function at {x}"):
                return self.finding(seen)
        return None


@dataclass(frozen=True)
class CompilesUnderNjit(Requirement):
    """What is in the text compiles, and still computes the same for some values."""

    values: tuple[float, ...]

    name = "the text compiles under njit"
    status = "not compiled"

    @unless_raised
    def of_code(self, trial: Trial) -> Finding | None:
        examples = sorted(
            trial.exercise.examples(), key=lambda args: not args[0]
        )  # what fails for no name, last
        for args in examples:
            text = ask(trial, f"compose_source({show(args[0])})", trial.answer, *trial.copies(args))
            plain = _evaluated(text, self.values)
            if plain["fault"]:  # `ComputesInOrder` says so
                return None
            try:
                function = njit(first_function(text))
                compiled = [function(x) for x in self.values]
            except NumbaError as error:
                return self.finding(reason(error), trial.show(args))
            except BaseException as error:
                return self.finding(f"compiled, the function raised {told(error)}", trial.show(args))
            pairs = zip(compiled, plain["results"], strict=True)
            faults = [fault for pair in pairs if (fault := difference(*pair, 1e-12, "compiled, the result"))]
            if faults:
                return self.finding(faults[0], trial.show(args))
        return None
