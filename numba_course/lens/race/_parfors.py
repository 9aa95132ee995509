"""Which statements Numba runs in parallel, and which of these loops it merged into one, as its diagnostics note it.

Numba calls such a loop a parfor. It makes them of `prange`, of array expressions, of assignments to slices and masks,
of NumPy functions, of comprehensions and of stencils.
"""

from __future__ import annotations

import math
import types
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba.core import ir
from numba.parfors import parfor as numba_parfor

LOOP, STORE, EXPRESSION, LIBRARY = "loop", "store", "expression", "library"
FRESH = "fresh"  # writes an array that it makes itself, and reads none
OTHER = "other"  # a loop that is not modelled: `Parfor.what` says what Numba made it of
STENCIL = "a stencil"
MAKING = ("arange", "linspace")
COMPREHENSION = '"array comprehension"'


@dataclass(frozen=True)
class Parfor:
    """One parallel loop, as it was before loops were merged.

    Attributes
    ----------
    kind : str
        ``loop`` (over `prange` or `pndindex`), ``store`` (into the elements of an array that there was before),
        ``expression``, ``library``, ``fresh`` or ``other``.
    what : str
        What it was made of, in words.
    file, lines : str, frozenset of int
        Where it stands. No lines, if Numba does not note them.
    group : int
        The same for those that are merged: nothing orders their iterations.
    """

    kind: str
    what: str
    file: str
    lines: frozenset[int]
    group: int

    def stands_at(self, place: ir.Loc) -> bool:
        """Whether the statement at this place may be the one that it was made of."""
        return not self.lines or (self.file == place.filename and place.line in self.lines)


def parfors(diagnostics: Any) -> list[Parfor]:
    """All loops that run in parallel, those that Numba made inside others left out.

    Parameters
    ----------
    diagnostics : numba.parfors.parfor.ParforDiagnostics

    Returns
    -------
    list of Parfor
    """
    if not diagnostics.has_setup:
        return []
    nested = {inner.id for outer in diagnostics.initial_parfors for inner in _nested(outer)}
    roots = _roots(diagnostics)
    outer = [p for p in diagnostics.initial_parfors if p.id not in nested]
    return [_described(p, roots.get(p.id, p.id)) for p in outer]


def _nested(outer):
    for block in outer.loop_body.values():
        for statement in block.body:
            if isinstance(statement, numba_parfor.Parfor):
                yield statement
                yield from _nested(statement)


def _roots(diagnostics):
    """The first of its group for each loop that was merged into another one."""
    parents = {inner: outer for outer, merged in diagnostics.fusion_info.items() for inner in merged}
    roots = {}
    for start in parents:
        number = start
        while number in parents:
            number = parents[number]
        roots[start] = number
    return roots


def _described(parfor, group):
    pattern = parfor.patterns[0]
    statements = [s for block in parfor.loop_body.values() for s in block.body]
    file = parfor.loc.filename
    line = frozenset({parfor.loc.line})
    if isinstance(pattern, str):
        lines = line | {s.loc.line for s in statements if s.loc.filename == file}
        return Parfor(EXPRESSION, "an array expression", file, lines, group)
    name = pattern[0]
    if name in ("setitem", "inplace_binop"):
        return Parfor(STORE, "an assignment to several elements", file, line, group)
    if pattern[1] == "NumPy mapping":
        return Parfor(FRESH, name, file, line, group)
    if name == "prange" and pattern[1] == "internal" and pattern[2]:
        (made_of, _), where = pattern[2]
        return _internal(made_of, where, statements, group)
    if name == "prange" and file == numba_parfor.__file__:  # sums and the like of several dimensions
        return Parfor(LIBRARY, "a NumPy function", file, frozenset(), group)
    if name == "prange":
        return Parfor(LOOP, "a loop over prange", file, line, group)
    if (
        name == "stencil"
    ):  # never merged, as it reads neighbours; one with out is looked at where it is called
        return Parfor(FRESH, STENCIL, file, frozenset(), group)  # Numba notes the line of what it reads
    return Parfor(LIBRARY if pattern[-1] == "reduction" else OTHER, str(name), file, line, group)


def _internal(made_of, where, statements, group):
    """A loop of Numba's own over `internal_prange`."""
    file = where.filename
    lines = frozenset() if file == numba_parfor.__file__ else frozenset({where.line})
    if made_of == "fill":
        return Parfor(STORE, "fill", file, lines, group)
    if made_of == COMPREHENSION:
        kind = FRESH if _only_computes(statements) else OTHER
        return Parfor(kind, "a comprehension", file, lines, group)
    if made_of in MAKING:
        return Parfor(FRESH, f"np.{made_of}", file, lines, group)
    return Parfor(LIBRARY, f"np.{made_of}", file, lines, group)


def _only_computes(statements):
    """Whether the body of a comprehension stores its item and calls nothing but functions of numbers."""
    stored = sum(isinstance(s, (ir.SetItem, ir.StaticSetItem)) for s in statements)
    values = {s.target.name: s.value for s in statements if isinstance(s, ir.Assign)}
    calls = [value for value in values.values() if getattr(value, "op", "") == "call"]
    return stored <= 1 and all(_is_computing(values.get(call.func.name), values) for call in calls)


def _is_computing(value, values):
    """Whether a value of the IR is a function of numbers: a ufunc, a type, one of `math`, a builtin."""
    if isinstance(value, ir.Expr) and value.op == "getattr":
        module = values.get(value.value.name)
        module = getattr(module, "value", None)
        found = getattr(module, value.attr, None) if isinstance(module, types.ModuleType) else None
    else:
        found = getattr(value, "value", None)
    return (
        isinstance(found, (np.ufunc, type)) or found in vars(math).values() or found in (abs, max, min, round)
    )
