"""Numbers in generated text: how they are written, and which of those in arithmetic on pixels are float32."""

from __future__ import annotations

import ast
import math
from typing import Any

import numpy as np

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


def as_float32(value: ast.expr | int) -> ast.expr:
    """An expression as float32; a whole number, if that holds it."""
    if not isinstance(value, int):
        return ast.Call(ast.parse("np.float32", mode="eval").body, [value], [])
    if not abs(value) < 2**63 or int(np.float32(value)) != value:
        raise PipelineError(
            f"the whole number {value} would be float32 beside pixels, which cannot hold it; write it as a float, or "
            "int(...) around the pixel"
        )
    return literal(float(value), "a number in it")


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


class Assigned(ast.NodeTransformer):
    """Write ``r += x`` as ``r = r + x``: vectors are values, and nothing else has them too."""

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        before = ast.parse(ast.unparse(node.target), mode="eval").body
        return ast.copy_location(ast.Assign([node.target], ast.BinOp(before, node.op, node.value)), node)


class Fitting(ast.NodeTransformer):
    """Have operators such as ``+=`` refuse an array that is larger than their target, as NumPy does."""

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        if not isinstance(node.value, ast.Constant):
            before = ast.parse(ast.unparse(node.target), mode="eval").body
            node.value = ast.Call(ast.Name("fitting", ast.Load()), [before, node.value], [])
        return node


class AsTuple(ast.NodeTransformer):
    """Have a point for one channel return a tuple, as others do."""

    def visit_Return(self, node: ast.Return) -> ast.AST:
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
            names: list[ast.expr] = [ast.Name(f"step_{c}", ast.Store()) for c in range(self.channels)]
            into = ast.Tuple(names, ast.Store())
            values: list[ast.expr] = [ast.Name(f"step_{c}", ast.Load()) for c in range(self.channels)]
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


def _is_of_tuples(value):
    """Whether it is a tuple, or a choice between some, whose parts are seen."""
    if isinstance(value, ast.IfExp):
        return _is_of_tuples(value.body) and _is_of_tuples(value.orelse)
    return isinstance(value, ast.Tuple)


def _call_of_float32(value):
    is_one = isinstance(value, ast.Call) and ast.unparse(value.func) == "np.float32"
    return value if is_one else as_float32(value)
