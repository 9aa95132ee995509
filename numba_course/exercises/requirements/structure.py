"""Requirements on what an answer is: compiled, parallel, of one signature, of one return type."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType
from typing import TYPE_CHECKING

import numpy as np
from numba import types
from numba.core.dispatcher import Dispatcher

from numba_course.exercises.examination.show import show_kinds, show_some
from numba_course.exercises.requirements import Requirement
from numba_course.exercises.requirements.ufuncs import UFUNCS
from numba_course.lens.compiled.dispatchers import hands_to_python, is_parallel

if TYPE_CHECKING:
    from numba_course.exercises.examination.trial import Trial
    from numba_course.exercises.examination.verdict import Finding


@dataclass(frozen=True)
class ReturnType(Requirement):
    """The compiler found exactly this type for the result.

    Attributes
    ----------
    kind : str
        As Numba writes it.
    """

    kind: str

    name = "return type"

    def of_code(self, trial: Trial) -> Finding | None:
        if not isinstance(trial.answer, Dispatcher):
            return None  # `Compiled` has said so
        for signature in trial.answer.nopython_signatures:
            found = str(signature.return_type)
            if found != self.kind:
                found = found.replace("OptionalType", "Optional")
                return self.finding(f"Numba inferred {found} for the result, where {self.kind} is asked")
        return None


@dataclass(frozen=True)
class OneSignature(Requirement):
    """The answer was compiled for one signature when it was defined, and refuses all others."""

    name = "one signature"

    def of_code(self, trial: Trial) -> Finding | None:
        if not isinstance(trial.answer, Dispatcher):
            return self.finding("a ufunc converts whatever it is given; use @njit with a signature")
        if trial.answer._can_compile:
            return self.finding("@njit was given no signature, so each new type compiles it once more")
        kinds = [signature.args for signature in trial.answer.nopython_signatures]
        if len(kinds) > 1:
            return self.finding(f"it has {len(kinds)} signatures: {show_some(map(show_kinds, kinds))}")
        is_asked = (_is_float, _is_vector, _is_vector)
        for name, kind, fits in zip(trial.names, kinds[0], is_asked, strict=True):
            if not fits(kind):
                wanted = "float64" if fits is _is_float else "a C-contiguous one of float64"
                return self.finding(f"`{name}` is declared as {kind}, and must be {wanted}")
        return None


def _is_float(kind):
    return kind == types.float64


def _is_vector(kind):
    return isinstance(kind, types.Array) and (kind.dtype, kind.ndim, kind.layout) == (types.float64, 1, "C")


STARTS_THREADS = re.compile(r"\bcall\b.*@numba_parallel_for\b")  # in LLVM IR


def starts_threads(function: Dispatcher) -> bool:
    """Whether a loop of what was compiled of it runs on several threads; callees are linked in, and so show theirs."""
    return any(STARTS_THREADS.search(code) for code in function.inspect_llvm().values())


def _kind(answer):
    """In words, what an answer is that Numba did not compile."""
    if inspect.iscoroutinefunction(answer) or inspect.isasyncgenfunction(answer):
        return "an async function, and Numba compiles none; leave out async, and decorate it with @njit"
    if isinstance(answer, FunctionType):
        return f"`{answer.__name__}`, a plain Python function; decorate it with @njit"
    if isinstance(answer, BuiltinFunctionType):
        return f"Python's own {answer.__name__}, which Numba did not compile; write a function, decorated with @njit"
    kind = "a class" if isinstance(answer, type) else f"an object of type {type(answer).__name__}"
    return f"{kind}; write a function, decorated with @njit"


@dataclass(frozen=True)
class Compiled(Requirement):
    """The answer is compiled by Numba in nopython mode."""

    name = "compiled"
    status = "not compiled"
    early = True

    def of_code(self, trial: Trial) -> Finding | None:
        answer = trial.answer
        if isinstance(answer, UFUNCS):
            return None
        if isinstance(answer, np.ufunc):  # of NumPy, or one that Numba made for another target
            return self.finding(
                "this is a ufunc whose code cannot be looked at; use @njit, or leave out the target of its decorator"
            )
        if not isinstance(answer, Dispatcher):
            return self.finding(f"this is {_kind(answer)}")
        if answer.targetoptions.get("forceobj"):
            return self.finding("forceobj=True runs it as Python objects; use @njit")
        return None


@dataclass(frozen=True)
class StaysCompiled(Requirement):
    """No part of the compiled answer, nor of what it calls, is left to Python by ``with objmode``."""

    name = "compiled all the way"

    def of_code(self, trial: Trial) -> Finding | None:
        if isinstance(trial.answer, Dispatcher) and hands_to_python(trial.answer):
            return self.finding(
                "a block under `with objmode` runs in Python; write that part in compiled code, too"
            )
        return None


@dataclass(frozen=True)
class Parallel(Requirement):
    """At least one loop of the answer runs on several threads."""

    name = "parallel"
    slow = True

    def of_code(self, trial: Trial) -> Finding | None:
        if not isinstance(trial.answer, Dispatcher):
            return self.finding("nothing in it can run on several threads")
        if starts_threads(trial.answer):
            return None
        if not is_parallel(trial.answer):
            return self.finding("parallel=True is missing: prange is then an ordinary range")
        return self.finding("parallel=True is there, but Numba found no loop to run in parallel")
