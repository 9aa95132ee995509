"""Whether a variable has one type, whichever way led there: Numba gives it one for all, and Python each way its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba.core import errors, ir, types
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import AnalysisPass, register_pass
from numba.core.typed_passes import NopythonTypeInference

from numba_course.pipeline.protocol import PipelineError
from numba_course.pipeline.runtime import FLOATS


def _differ(name, one, other):
    what = "a choice" if name.startswith("$") else name
    one, other = sorted((str(one), str(other)))
    return f"{what} is {one} on one way and {other} on another: convert it, as by int(...) or np.float32(...)"


@register_pass(mutates_CFG=False, analysis_only=True)
class _OneTypeEach(AnalysisPass):
    """Refuse a variable of which two ways give numbers of two types."""

    _name = "numba_course_one_type_each"

    def __init__(self):
        AnalysisPass.__init__(self)

    def run_pass(self, state):
        for block in state.func_ir.blocks.values():
            for assign in block.find_insts(ir.Assign):
                kinds = [state.typemap[value.name] for value in [*_ways_into(assign.value), assign.target]]
                self._compare(assign.target.unversioned_name, kinds, assign.loc)
            for last in block.find_insts(ir.Return):
                self._compare("the result", [state.typemap[last.value.name], state.return_type], last.loc)
        return False

    def _compare(self, name, kinds, loc):
        first, *others = map(_of_numba, kinds)
        for other in others:
            if None not in (first, other) and first != other:
                raise errors.TypingError(_differ(name, first, other), loc=loc)


def _ways_into(value):
    """The variables of which an assignment takes one, whichever way led there."""
    if isinstance(value, ir.Var):
        return [value]
    is_phi = isinstance(value, ir.Expr) and value.op == "phi"
    return [each for each in value.incoming_values if each is not ir.UNDEFINED] if is_phi else []


def _of_numba(kind):
    """The type of a number, or those of a tuple of numbers; None of anything else."""
    kind = types.unliteral(kind)
    if kind == FLOATS:
        kind = types.float32
    if isinstance(kind, types.BaseTuple):
        parts = tuple(map(_of_numba, kind))
        return None if None in parts else parts
    return str(kind) if isinstance(kind, types.Number | types.Boolean) else None


class OneTypeEach(CompilerBase):
    """The compiler of operations' functions."""

    def define_pipelines(self) -> list[Any]:
        manager = DefaultPassBuilder.define_nopython_pipeline(self.state)
        manager.add_pass_after(_OneTypeEach, NopythonTypeInference)
        manager.finalize()
        return [manager]


def watch() -> tuple[Callable[..., dict], Callable[..., Any]]:
    """The same for functions as Python, as far as ways are gone.

    Returns
    -------
    callable
        Of a function's name and arguments: what is known of it for arguments of their types.
    callable
        Of that, a place, a variable's name and a value: the value; PipelineError if it had another type there.
    """
    known: dict[Any, dict] = {}

    def ways_of(*call):
        return known.setdefault((call[0], *map(_of_python, call[1:])), {})

    def alike(ways, place, name, value):
        kind = _of_python(value)
        before = ways.setdefault(place, kind)
        if before != kind and None not in (before, kind):
            raise PipelineError(_differ(name, before, kind))
        return value

    return ways_of, alike


def _of_python(value):
    if isinstance(value, tuple):
        parts = tuple(map(_of_python, value))
        return None if None in parts else parts
    if isinstance(value, bool):
        return "bool"
    return str(value.dtype) if isinstance(value, np.generic | np.ndarray) else None
