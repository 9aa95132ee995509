"""Blocks of Numba's IR as Python functions of a frame: their text is written once for each function, to run quickly.

What is frequent and simple stands in the text: numbers, items, variables that live in one block only. All the rest is
done by what the text calls, in `_items`, `_calls` and `_interpreter`.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba.core import ir

from numba_course.lens.race import _calls
from numba_course.lens.race._items import attribute, getitem, setitem
from numba_course.lens.race._values import HIGHEST, LOWEST, scalar

ARITHMETIC = {operator.add: "+", operator.sub: "-", operator.mul: "*"}
COMPARISONS = {
    operator.lt: "<",
    operator.le: "<=",
    operator.gt: ">",
    operator.ge: ">=",
    operator.eq: "==",
    operator.ne: "!=",
}
SIGNS = ARITHMETIC | COMPARISONS
SHORT = {
    (int, int),
    (int, float),
    (float, int),
    (float, float),
}  # kinds of numbers that Python combines as compiled code
UNSIGNED = np.uint8, np.uint16, np.uint32, np.uint64
MIXED = {pair for kind in UNSIGNED for pair in ((int, kind), (kind, int))}
EXACT = 1 << 53  # integers below are doubles, too: signed and 64 unsigned bits are compared as doubles
NOTHING = ir.Del, ir.EnterWith, ir.PopBlock


class Block(NamedTuple):
    """One block of a function: what to do, and what follows.

    `run` takes a frame and returns the label of the next block, or None and the value that is returned.
    """

    size: int
    run: Callable[[Any], tuple[int | None, Any]]


def prepared(run: Any, code: ir.FunctionIR) -> dict[int, Block]:
    """The blocks of a function by their labels, for this run."""
    bodies = {
        label: [s for s in block.body if type(s) not in NOTHING] for label, block in code.blocks.items()
    }
    places: dict[tuple[str, int], ir.Loc] = {}  # one for each line
    used = Counter(
        variable.name for body in bodies.values() for statement in body for variable in _read_by(statement)
    )
    return {label: Block(len(body), _Text(run, body, places, used).made()) for label, body in bodies.items()}


class _Text:
    """The text of one block, as it is written.

    Attributes
    ----------
    names : dict
        What the text refers to.
    here : dict of str to str
        Temporary variables of Numba's that were assigned in this block, and what they are called in the text.
    """

    def __init__(self, run, body, places, used):
        self.run, self.body, self.places = run, body, places
        self.lines, self.here, self.place = [], {}, None
        self.names = {
            "run": run,
            "memory": run.memory,
            "get": run.get,
            "set": run.set,
            "operate": run.operate,
            "MIXED": MIXED,
            "SHORT": SHORT,
            "call": _calls.call,
            "attribute": attribute,
            "getitem": getitem,
            "setitem": setitem,
        }
        within = Counter(_read_from_here(body))
        self.kept = {name for name, count in used.items() if within[name] < count}  # others read it, too

    def made(self):
        """The function."""
        for statement in self.body[:-1]:
            self._at(statement.loc)
            self._statement(statement)
        self._at(self.body[-1].loc)
        self._last(self.body[-1])
        text = "\n    ".join(
            ["def block(frame):", "values, writers = frame.values, frame.writers", *self.lines]
        )
        exec(compile(text, "<block>", "exec"), self.names)
        return self.names["block"]

    def _name(self, value):
        """A name of its own for what is not written as text."""
        name = f"v{len(self.names)}"
        self.names[name] = value
        return name

    def _at(self, place):
        place = self.places.setdefault((place.filename, place.line), place)
        if place is not self.place:
            self.place = place
            self.lines.append(f"memory.place = {self._name(place)}")

    def _read(self, variable):
        name = variable.name
        if name in self.here:
            return self.here[name]
        text, whole = repr(name), self._name(variable)
        if name.startswith("$"):
            return f"(values[{text}] if {text} in values else get(frame, {whole}))"
        own = f"{text} in values and ({text} not in writers or writers[{text}][0] is memory.path)"
        return f"(values[{text}] if {own} else get(frame, {whole}))"

    # Statements

    def _statement(self, statement):
        kind, run = type(statement), self.run
        if kind is ir.SetItem:
            parts = (self._read(getattr(statement, part)) for part in ("target", "index", "value"))
            self.lines.append(f"setitem(run, {', '.join(parts)})")
        elif kind is ir.Assign:
            self._assign(statement.target, statement.value)
        else:
            effect = self._name(lambda frame: run.effect(frame, statement, kind))
            self.lines.append(f"{effect}(frame)")

    def _assign(self, target, value):
        name, result = target.name, f"t{len(self.here)}_{len(self.lines)}"
        self._evaluate(result, value)
        if name.startswith("$"):
            self.here[name] = result
            if name in self.kept:
                self.lines.append(f"values[{name!r}] = {result}")
            return
        self.lines += [
            f"if type({result}) is int or type({result}) is float:",
            f"    values[{name!r}] = {result}",
            f"    if frame.region is None: writers.pop({name!r}, None)",
            f"    else: writers[{name!r}] = memory.path, memory.place, frame.region",
            f"else: set(frame, {self._name(target)}, {result})",
        ]

    def _last(self, statement):
        kind, run = type(statement), self.run
        if kind is ir.Jump:
            self.lines.append(f"return {statement.target}, None")
        elif kind is ir.Branch:
            chosen = f"{statement.truebr} if {self._read(statement.cond)} else {statement.falsebr}"
            self.lines.append(f"return ({chosen}), None")
        elif kind is ir.Return:
            self.lines.append(f"return None, {self._read(statement.value)}")
        else:
            effect = self._name(lambda frame: run.effect(frame, statement, kind))
            self.lines.append(f"return {effect}(frame)")

    # Expressions

    def _evaluate(self, result, value):
        """Write what assigns the value to the variable `result` of the text."""
        kind = type(value)
        if kind is ir.Expr:
            write = getattr(self, f"_{value.op}", None)
            if write and _is_plain(value):
                return write(result, value)
            text = f"{self._name(self.run.evaluation(value.op))}(frame, {self._name(value)})"
        elif kind is ir.Var:
            text = self._read(value)
        elif kind is ir.Const or (kind is ir.Global and callable(value.value)):
            text = self._name(scalar(value.value))
        else:
            text = f"run.value(frame, {self._name(value)})"
        self.lines.append(f"{result} = {text}")
        return None

    def _call(self, result, expr):
        function, args = self._read(expr.func), [self._read(argument) for argument in expr.args]
        named = ", ".join(f"{name!r}: {self._read(argument)}" for name, argument in expr.kws)
        self.lines.append(f"{result} = call(run, frame, {function}, [{', '.join(args)}], {{{named}}})")

    def _binop(self, result, expr):
        slow = f"operate(frame, {self._name(expr.fn)}, [a, b])"
        self._operation(result, expr, expr.fn, slow)

    def _inplace_binop(self, result, expr):
        slow = f"run.update(frame, {self._name(expr)}, a, b)"
        self._operation(result, expr, expr.immutable_fn, slow)

    def _operation(self, result, expr, fn, slow):
        """Two plain numbers go the short way, with the same result as the long one."""
        self.lines.append(f"a, b = {self._read(expr.lhs)}, {self._read(expr.rhs)}")
        sign = SIGNS.get(fn)
        if sign is None:
            self.lines.append(f"{result} = {slow}")
            return
        self.lines += [
            "kinds = type(a), type(b)",
            f"if kinds in MIXED and a < {EXACT} and b < {EXACT}: a, b, kinds = int(a), int(b), (int, int)",
            f"if kinds in SHORT: {result} = a {sign} b",
            f"else: {result} = {slow}",
        ]
        if fn not in COMPARISONS:
            self.lines.append(
                f"if type({result}) is int and not {LOWEST} <= {result} <= {HIGHEST}: {result} = {slow}"
            )

    def _getitem(self, result, expr):
        owner, index = self._read(expr.value), self._read(expr.index)
        self.lines.append(f"{result} = getitem(run, {owner}, {index})")

    def _static_getitem(self, result, expr):
        self.lines.append(f"{result} = getitem(run, {self._read(expr.value)}, {self._name(expr.index)})")

    def _getattr(self, result, expr):
        self.lines.append(f"{result} = attribute(run, {self._read(expr.value)}, {expr.attr!r})")

    def _build_tuple(self, result, expr):
        self.lines.append(f"{result} = ({''.join(f'{self._read(item)}, ' for item in expr.items)})")

    def _iternext(self, result, expr):
        self.lines += [
            f"try: {result} = next({self._read(expr.value)}), True",
            f"except StopIteration: {result} = None, False",
        ]

    def _pair_first(self, result, expr):
        self.lines.append(f"{result} = {self._read(expr.value)}[0]")

    def _pair_second(self, result, expr):
        self.lines.append(f"{result} = {self._read(expr.value)}[1]")

    def _cast(self, result, expr):
        self.lines.append(f"{result} = {self._read(expr.value)}")


def _is_plain(expr):
    """Whether an expression is one that is written as text, in all its parts."""
    return expr.op != "call" or (expr.vararg is None and expr.varkwarg is None)


def _is_written(statement):
    """Whether the text itself reads all variables of the statement."""
    if type(statement) is not ir.Assign:
        return type(statement) in (ir.SetItem, ir.Jump, ir.Branch, ir.Return)
    value = statement.value
    return type(value) is not ir.Expr or (hasattr(_Text, f"_{value.op}") and _is_plain(value))


def _read_by(statement):
    """The variables that a statement reads; it may assign one of them anew, as ``not in`` does."""
    if not isinstance(statement, ir.Assign):
        return statement.list_vars()
    value = statement.value
    return [value] if isinstance(value, ir.Var) else getattr(value, "list_vars", list)()


def _read_from_here(body):
    """Names of the variables that the text of a block reads after it has assigned them, as often as it does."""
    assigned = set()
    for statement in body:
        target = statement.target if isinstance(statement, ir.Assign) else None
        if _is_written(statement):
            for variable in _read_by(statement):
                if variable.name in assigned:
                    yield variable.name
        if target is not None:
            assigned.add(target.name)
