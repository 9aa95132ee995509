"""From an operation's Python function to the text of a function of the generated module."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from numba_course.pipeline.protocol import KINDS, Made, PipelineError
from numba_course.syntax import parse

CALLABLE = {"np", "uniform", "load", "abs", "bool", "float", "int", "len", "max", "min", "range", "round"}
# What stands for an operation's own parameters in the generated module, by kind; all but `skey` are the function's own.
PARAMETERS = {
    "move": lambda own: [*own[:2], "skey"],
    "point": lambda own: [*own[:3], "skey"],
    "gather": lambda own: ["source", "skey", *own[1:4]],
    "image": lambda own: [*own[:-1], "skey"],
}


@dataclass(frozen=True)
class Lifted:
    """The text of a function, what it needs made before, by name, and where the function was written.

    `lines` is from the lines of the text to those of the file, wherever a statement begins.
    """

    text: str
    made: dict[str, Made]
    file: str | None
    lines: dict[int, int]


def lift(function: Any, name: str, stream: int, load: str = "", extra: int = 0) -> Lifted:
    """Write an operation's function as one of the generated module.

    Parameters
    ----------
    function : callable
        Marked by its kind. Variables that it closes over must be numbers or tuples of numbers.
    name : str
        Its name there.
    stream : int
        Number of its stream of draws.
    load : str
        For a gather: the name of the function that loads from the step before.
    extra : int
        For an image: how many parameters stand for memory beside the result.

    Returns
    -------
    Lifted

    Raises
    ------
    PipelineError
        If its source cannot be read, or it uses what generated code cannot hold.
    """
    definition = _definition(function)
    own = [argument.arg for argument in definition.args.args]
    wanted = KINDS[function.kind] + extra
    if len(own) != wanted:
        raise PipelineError(f"a @{function.kind} function must have {wanted} parameters, not {len(own)}")
    free = _free_variables(function)
    made = {f"{name}_{variable}": value for variable, value in free.items() if isinstance(value, Made)}
    free = {
        variable: ast.Name(f"{name}_{variable}") if isinstance(value, Made) else _literal(value, variable)
        for variable, value in free.items()
    }
    definition.name, definition.decorator_list, definition.returns = name, [], None
    definition.args.args = [ast.arg(parameter) for parameter in PARAMETERS[function.kind](own)]
    if ast.get_docstring(definition) and len(definition.body) > 1:
        del definition.body[0]
    definition = _Literals(free, load).visit(definition)
    if function.kind == "point":
        definition = _Reals().visit(definition)
    key = own[-1]
    if any(isinstance(node, ast.Name) and node.id == key for node in ast.walk(definition)):
        definition.body.insert(0, parse(f"{key} = op_key(skey, {stream})").body[0])
    text = ast.unparse(ast.fix_missing_locations(definition))
    before = inspect.getsourcelines(function)[1] - 1
    statements = zip(_statements(parse(text)), _statements(definition), strict=True)
    lines = {new.lineno: before + old.lineno for new, old in statements}
    return Lifted(text, made, inspect.getsourcefile(function), lines)


def _statements(node):
    return [part for part in ast.walk(node) if isinstance(part, ast.stmt)]


STRAIGHT = (
    ast.Assign
    | ast.AugAssign
    | ast.Return
    | ast.Tuple
    | ast.Name
    | ast.Constant
    | ast.Subscript
    | ast.expr_context
)
STRAIGHT |= ast.BinOp | ast.Add | ast.Sub | ast.Mult | ast.Div


def is_straight(function: Callable[..., Any]) -> bool:
    """Whether a point function only adds, subtracts, multiplies, divides and takes min or max: in any order, of any.

    Such code serves vectors as well as numbers. It may branch where no pixel has a part in the test.
    """
    definition = _definition(function)
    key = definition.args.args[-1].arg
    own = {
        node.id
        for node in ast.walk(definition)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    own |= {argument.arg for argument in definition.args.args}

    def straight(node):
        if isinstance(node, ast.If | ast.IfExp):
            used = {part.id for part in ast.walk(node.test) if isinstance(part, ast.Name)}
            parts = [*node.body, *node.orelse] if isinstance(node, ast.If) else [node.body, node.orelse]
            return not used & (own - {key}) and all(map(straight, parts))
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            return name == "uniform" or (
                name in ("min", "max") and len(node.args) == 2 and all(map(straight, node.args))
            )
        if isinstance(node, ast.Expr):
            return isinstance(node.value, ast.Constant)  # a docstring
        return isinstance(node, STRAIGHT) and all(map(straight, ast.iter_child_nodes(node)))

    return all(map(straight, definition.body))


def _definition(function):
    """The function's own definition, parsed."""
    try:
        statement = parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except (OSError, TypeError, SyntaxError) as error:
        raise PipelineError(f"the source of {function.__qualname__} cannot be read: {error}") from error
    if not isinstance(statement, ast.FunctionDef):
        raise PipelineError(f"{function.__qualname__} must be written with def")
    return statement


def _free_variables(function):
    """The variables that the function closes over."""
    found = inspect.getclosurevars(function)
    names = {**found.globals, **found.nonlocals}
    builtin = set(found.builtins) - CALLABLE
    if builtin:
        raise PipelineError(f"generated code cannot call {', '.join(sorted(builtin))}")
    return {name: value for name, value in names.items() if name not in CALLABLE}


def _literal(value, name):
    """A number, or a tuple of numbers, as an expression; floats are float32."""
    if isinstance(value, (bool, np.bool_)):
        return ast.Constant(bool(value))
    if isinstance(value, (int, np.integer)):
        return ast.Constant(int(value))
    if isinstance(value, (float, np.floating)):
        return parse(f"np.float32({float(value)!r})").body[0].value
    if isinstance(value, tuple):
        return ast.Tuple([_literal(item, name) for item in value], ast.Load())
    raise PipelineError(
        f"the variable {name} is of type {type(value).__name__!r}; "
        "generated code takes numbers and tuples of numbers"
    )


class _Literals(ast.NodeTransformer):
    """Put literals for free variables, float32 for floats, and the step before for `load`."""

    def __init__(self, free, load):
        self.free, self.load = free, load

    def visit_Name(self, node):
        return self.free.get(node.id, node) if isinstance(node.ctx, ast.Load) else node

    def visit_Constant(self, node):
        return _literal(node.value, "") if isinstance(node.value, float) else node

    def visit_Subscript(self, node):
        """An element of a tuple that becomes a literal is the literal."""
        self.generic_visit(node)
        if isinstance(node.value, ast.Tuple) and isinstance(node.slice, ast.Constant):
            return node.value.elts[node.slice.value]
        return node

    def visit_Call(self, node):
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "load":
            node.func = ast.Name(self.load, ast.Load())
            node.args = [ast.Name("source", ast.Load()), ast.Name("skey", ast.Load()), *node.args]
        return node


class _Reals(ast.NodeTransformer):
    """Put float32 for the integers of a point's arithmetic, or ``r / 3`` were float64: compiled, not as Python.

    Integers they remain as indices, numbers of draws, bounds of loops, and beside the operators of bits.
    """

    def visit_Constant(self, node):
        return _literal(float(node.value), "") if type(node.value) is int else node

    def visit_Subscript(self, node):
        node.value = self.visit(node.value)
        return node

    def visit_Call(self, node):
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        whole = {"uniform": 0, "range": 0, "round": 1}.get(name, len(node.args))  # from there on
        node.args[:whole] = map(self.visit, node.args[:whole])
        return node

    def visit_BinOp(self, node):
        bits = isinstance(node.op, ast.BitAnd | ast.BitOr | ast.BitXor | ast.LShift | ast.RShift)
        for side in ("left", "right"):
            if not (bits and isinstance(getattr(node, side), ast.Constant)):
                setattr(node, side, self.visit(getattr(node, side)))
        return node
