"""Statements of Numba's IR as Python functions of a frame, made once for each function, so that they run quickly.

What is frequent and simple has a short way here, with the same result as the long one in `_items` and `_interpreter`.
"""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np
from numba.core import ir

from numba_course.lens.race import _calls
from numba_course.lens.race._items import getitem, setitem

PLAIN = (operator.add, operator.sub, operator.mul)
COMPARISONS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)
INPLACE = (operator.iadd, operator.isub, operator.imul)
LOWEST, HIGHEST = -(1 << 63), (1 << 63) - 1


class Block(NamedTuple):
    """One block of a function: what to do at which place, and what follows.

    `leave` takes a frame and returns the label of the next block, or None and the value that is returned.
    """

    size: int
    steps: list
    leave: Any
    place: ir.Loc


def prepared(run: Any, code: ir.FunctionIR) -> dict[int, Block]:
    """The blocks of a function by their labels, for this run."""
    blocks = {}
    for label, block in code.blocks.items():
        body = [s for s in block.body[:-1] if type(s) not in (ir.Del, ir.EnterWith, ir.PopBlock)]
        steps = [(statement.loc, _step(run, statement)) for statement in body]
        last = block.body[-1]
        blocks[label] = Block(len(body) + 1, steps, _leaving(run, last), last.loc)
    return blocks


def _leaving(run, statement):
    """The last statement of a block."""
    kind = type(statement)
    if kind is ir.Jump:
        onwards = statement.target, None
        return lambda frame: onwards
    if kind is ir.Branch:
        condition, if_true, if_false = _reader(run, statement.cond), statement.truebr, statement.falsebr
        return lambda frame: (if_true if condition(frame) else if_false, None)
    if kind is ir.Return:
        value = _reader(run, statement.value)
        return lambda frame: (None, value(frame))
    return lambda frame: run.effect(frame, statement, kind)


def _step(run, statement):
    """Any other statement."""
    kind = type(statement)
    if kind is ir.SetItem:
        parts = [_reader(run, getattr(statement, part)) for part in ("target", "index", "value")]
        target, index, value = parts
        return lambda frame: setitem(run, target(frame), index(frame), value(frame))
    if kind is not ir.Assign:
        return lambda frame: run.effect(frame, statement, kind)
    evaluate, variable = _evaluation(run, statement.value), statement.target
    name = variable.name
    if not name.startswith("$"):
        return lambda frame: run.set(frame, variable, evaluate(frame))

    def keep(frame):
        frame.values[name] = evaluate(frame)

    return keep


def _reader(run, variable):
    """A function that reads the variable."""
    name = variable.name

    def read(frame):
        if name in frame.writers or name not in frame.values:
            return run.get(frame, variable)
        return frame.values[name]

    def read_temporary(frame):
        try:
            return frame.values[name]
        except KeyError:
            return run.get(frame, variable)

    return read_temporary if name.startswith("$") else read


def _evaluation(run, value):
    """A function that evaluates an expression."""
    kind = type(value)
    if kind is ir.Var:
        return _reader(run, value)
    if kind is ir.Const:
        constant = value.value
        return lambda frame: constant
    if kind is ir.Expr and value.op in ("binop", "inplace_binop"):
        return _operation(run, value)
    if kind is ir.Expr and value.op in ("getitem", "static_getitem"):
        owner = _reader(run, value.value)
        if value.op == "getitem":
            index = _reader(run, value.index)
            return lambda frame: getitem(run, owner(frame), index(frame))
        fixed = value.index
        return lambda frame: getitem(run, owner(frame), fixed)
    if kind is ir.Expr and value.op == "call" and value.vararg is None and value.varkwarg is None:
        return _call(run, value)
    if kind is ir.Expr and value.op in ("pair_first", "pair_second"):
        pair, position = _reader(run, value.value), int(value.op == "pair_second")
        return lambda frame: pair(frame)[position]
    if kind is ir.Expr:
        evaluate = run.evaluation(value.op)
        return lambda frame: evaluate(frame, value)
    if kind is ir.Global and callable(value.value):
        function = value.value
        return lambda frame: function
    return lambda frame: run.value(frame, value)


def _call(run, expr):
    """A call; that of `bool` stands before each branch."""
    function, args = _reader(run, expr.func), [_reader(run, argument) for argument in expr.args]
    named = [(name, _reader(run, argument)) for name, argument in expr.kws]

    def call(frame):
        called, values = function(frame), [read(frame) for read in args]
        if called is bool and type(values[0]) is bool:
            return values[0]
        return _calls.call(run, frame, called, values, {name: read(frame) for name, read in named})

    return call


def _operation(run, expr):
    """A binary operator; two plain numbers go the short way."""
    left, right, long_way = _reader(run, expr.lhs), _reader(run, expr.rhs), run.evaluation(expr.op)
    fn = expr.fn if expr.op == "binop" else expr.immutable_fn
    compares = fn in COMPARISONS
    if not compares and fn not in PLAIN:
        return lambda frame: long_way(frame, expr)

    def operate(frame):
        a, b = left(frame), right(frame)
        kinds = type(a), type(b)
        if kinds == (float, float):
            return fn(a, b)
        if kinds in ((int, np.uint64), (np.uint64, int)):  # signed, if one of them is
            a, b, kinds = int(a), int(b), (int, int)
        if kinds in ((int, int), (int, float), (float, int)):
            result = fn(a, b)
            if compares or type(result) is float or LOWEST <= result <= HIGHEST:
                return result
        return long_way(frame, expr)

    return operate
