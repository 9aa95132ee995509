"""Numbers in generated text: how they are written, and which of those in arithmetic on pixels are float32."""

from __future__ import annotations

import ast
import math
from collections.abc import Collection
from typing import Any

import numpy as np

from numba_course.pipeline import algebra
from numba_course.pipeline.protocol import PipelineError
from numba_course.syntax import parse


def literal(value: Any, what: str) -> ast.expr:
    """A number, or a tuple of numbers, as an expression; floats are float32."""
    if isinstance(value, bool | np.bool_):
        return ast.Constant(bool(value))
    if isinstance(value, int | np.integer):
        if not -(2**63) < value < 2**63:
            raise PipelineError(f"{what} is {value}, which does not fit into 64 bits")
        return signed(int(value))
    if isinstance(value, float | np.floating):
        return _real(float(value), what)
    if type(value) is tuple:
        return ast.Tuple([literal(item, what) for item in value], ast.Load())
    raise PipelineError(
        f"{what} is of type {type(value).__name__!r}; generated code takes numbers and tuples of numbers"
    )


def signed(number: int) -> ast.expr:
    """A number as Python writes it: a negative one is an operator before a positive one."""
    return ast.UnaryOp(ast.USub(), ast.Constant(-number)) if number < 0 else ast.Constant(number)


def _real(value, what):
    with np.errstate(over="ignore", under="ignore"):
        near = float(np.float32(value))
    if math.isfinite(value) and (math.isinf(near) or (near == 0) != (value == 0)):
        raise PipelineError(f"{what} is {value!r}, which float32 cannot hold")
    if math.isfinite(value):
        return parse(f"np.float32({value!r})").body[0].value
    return parse(f"np.float32({'-' * (value < 0)}np.{'nan' if math.isnan(value) else 'inf'})").body[0].value


def integer(node: ast.AST) -> int | None:
    """The integer that an expression writes, or None."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        at = integer(node.operand)
        return None if at is None else -at
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None


BITS = ast.BitAnd | ast.BitOr | ast.BitXor | ast.LShift | ast.RShift
WHOLE_FROM = {
    "uniform": 0,
    "range": 0,
    "round": 1,
    "np.empty": 0,
    "np.zeros": 0,
    "np.ones": 0,
    "np.full": 0,
    "np.arange": 0,
}  # from this argument on, those of these are whole numbers


class Wholes:
    """Which arguments of a call are whole numbers: the same for all calls that a function of an operation makes.

    Parameters
    ----------
    load : str
        What a gather calls to load a pixel; its places are whole.
    helpers : dict of str to set of int
        From the helpers' names to the numbers of their parameters that are whole.
    """

    def __init__(self, load: str, helpers: dict[str, set[int]]) -> None:
        self.whole_from, self.helpers = {**WHOLE_FROM, load: 2}, helpers

    def __call__(self, call: ast.Call) -> set[int]:
        name, count = ast.unparse(call.func), len(call.args)
        return self.helpers.get(name, set(range(self.whole_from.get(name, count), count)))


def counters(definition: ast.FunctionDef, wholes: Wholes) -> set[str]:
    """Variables that hold indices, numbers of draws or bounds of loops, or lead to those."""
    used, leads = set(), []
    for node in ast.walk(definition):
        if isinstance(node, ast.Subscript):
            used |= algebra.names_in(node.slice)
        elif isinstance(node, ast.Call):
            for at in wholes(node):
                used |= algebra.names_in(node.args[at])
        elif isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            leads += [
                (target.id, algebra.names_in(node.value))
                for target in targets
                if isinstance(target, ast.Name)
            ]
    found = set()
    while used - found:
        found |= used
        used |= {name for target, names in leads if target in found for name in names}
    return found


class Reals(ast.NodeTransformer):
    """Put float32 for the integers of arithmetic on pixels, or ``r / 3`` were float64: compiled, not as Python.

    Integers they remain in indices, places of pixels, numbers of draws, bounds of loops, in what is assigned to
    variables that lead to those, and under the operators of bits.
    """

    def __init__(self, counters: set[str], wholes: Wholes) -> None:
        self.counters, self.wholes = counters, wholes
        self.calls: list[ast.Call] = []  # whose results may be real

    def visit_Constant(self, node):
        return literal(float(node.value), "a number in it") if type(node.value) is int else node

    def visit_Assign(self, node):
        return node if self._counts(*node.targets) else self.generic_visit(node)

    def visit_AugAssign(self, node):
        return node if self._counts(node.target) else self.generic_visit(node)

    def _counts(self, *targets):
        return all(isinstance(target, ast.Name) and target.id in self.counters for target in targets)

    def visit_Subscript(self, node):
        node.value = self.visit(node.value)
        return node

    def visit_Call(self, node):
        self.calls.append(node)
        whole = self.wholes(node)
        node.args = [value if at in whole else self.visit(value) for at, value in enumerate(node.args)]
        return node

    def visit_BinOp(self, node):
        return node if isinstance(node.op, BITS) else self.generic_visit(node)


class Assigned(ast.NodeTransformer):
    """Write ``r += x`` as ``r = r + x``: vectors are values, and nothing else has them too."""

    def visit_AugAssign(self, node):
        before = ast.parse(ast.unparse(node.target), mode="eval").body
        return ast.copy_location(ast.Assign([node.target], ast.BinOp(before, node.op, node.value)), node)


class AsTuple(ast.NodeTransformer):
    """Have a point for one channel return a tuple, as others do."""

    def visit_Return(self, node):
        if node.value is not None:
            node.value = self._tuple(node.value)
        return node

    def _tuple(self, value):
        if isinstance(value, ast.IfExp):
            value.body, value.orelse = self._tuple(value.body), self._tuple(value.orelse)
        return value if isinstance(value, ast.IfExp | ast.Tuple) else ast.Tuple([value], ast.Load())


class Rounded(ast.NodeTransformer):
    """Have a function return float32, as its state says, whichever way it takes: of a point, so many."""

    def __init__(self, kind: str, channels: int = 0) -> None:
        self.is_point, self.channels = kind == "point", channels

    def visit_Return(self, node: ast.Return) -> Any:
        if node.value is None:
            return node
        if self.channels and not _is_of_tuples(node.value):
            into = ast.Tuple([ast.Name(f"step_{c}", ast.Store()) for c in range(self.channels)], ast.Store())
            values = [ast.Name(f"step_{c}", ast.Load()) for c in range(self.channels)]
            first = ast.copy_location(ast.Assign([into], node.value), node)
            last = ast.copy_location(ast.Return(self.rounded(ast.Tuple(values, ast.Load()))), node)
            return [first, last]
        node.value = self.rounded(node.value)
        return node

    def rounded(self, value: ast.expr) -> ast.expr:
        """A single value; of a point a tuple of them, or the choice between tuples."""
        if isinstance(value, ast.IfExp):
            value.body, value.orelse = self.rounded(value.body), self.rounded(value.orelse)
        elif isinstance(value, ast.Tuple) and self.is_point:
            value.elts = list(map(_call_of_float32, value.elts))
        elif not self.is_point:
            return _call_of_float32(value)
        return value


class RoundedHelper(Rounded):
    """Likewise for what such a function calls, as far as it is seen to return numbers, or tuples of them."""

    def __init__(self, helpers: Collection[str]) -> None:
        super().__init__("point")
        self.helpers, self.others = helpers, set[str]()  # names of variables that may be no numbers

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        for part in ast.walk(node):
            if isinstance(part, ast.Assign) and any(map(self._is_other, ast.walk(part.value))):
                self.others |= {target.id for target in part.targets if isinstance(target, ast.Name)}
        return self.generic_visit(node)

    def rounded(self, value: ast.expr) -> ast.expr:
        if isinstance(value, ast.IfExp | ast.Tuple) or self._is_other(value):
            return super().rounded(value)
        return _call_of_float32(value)

    def _is_other(self, value):
        """Whether it is a tuple or a truth value, or what another helper returns, which does the same."""
        name = value.func if isinstance(value, ast.Call) else value
        known = isinstance(name, ast.Name) and name.id in (self.others | {*self.helpers})
        return known or isinstance(value, ast.Tuple | ast.Compare | ast.BoolOp)


def _is_of_tuples(value):
    """Whether it is a tuple, or a choice between some, whose parts are seen."""
    if isinstance(value, ast.IfExp):
        return _is_of_tuples(value.body) and _is_of_tuples(value.orelse)
    return isinstance(value, ast.Tuple)


def _call_of_float32(value):
    return ast.Call(parse("np.float32").body[0].value, [value], [])
