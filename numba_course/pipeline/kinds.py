"""Which numbers in arithmetic on pixels are whole: they stay so until they meet a pixel, and are float32 from there.

Otherwise ``r / 3`` were float64 if it is compiled, and not as Python; or an index were a float.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import Any

from numba_course.pipeline.language import BY_ELEMENT
from numba_course.pipeline.literals import BITS, as_float32, integer

# What is known of a value: nothing yet; that it is a whole number as it is written, which may become float32; that it
# is another whole number; that it is float32; that it may be anything. Of a tuple, a tuple of those.
WRITTEN, WHOLE, REAL, OTHER = "written", "whole", "real", "other"
# What gives whole numbers.
WHOLES = (
    "whole",
    "rounded",
    "len",
    "np.argmax",
    "np.argmin",
    "np.int8",
    "np.int16",
    "np.int32",
    "np.int64",
    "np.intp",
)
CHOICES = "min", "max", "abs", "clipped"  # what gives numbers of the type that its arguments have in common
# From this argument on, these take whole numbers: indices, numbers of draws, sizes.
WHOLE_FROM = {"uniform": 0, "range": 0, "round": 1}


def joined(first: Any, second: Any) -> Any:
    """What a variable is that may have a value of either kind."""
    if first == second or second is None:
        return first
    if first is None:
        return second
    if isinstance(first, tuple) and isinstance(second, tuple) and len(first) == len(second):
        return tuple(map(joined, first, second))
    if WRITTEN in (first, second):
        other = second if first == WRITTEN else first
        return other if other in (WHOLE, REAL) else OTHER
    return OTHER


def together(first: Any, second: Any) -> Any:
    """What arithmetic makes of two; a choice between them, too, as a whole number that may be a pixel becomes one."""
    if isinstance(first, tuple) and isinstance(second, tuple) and len(first) == len(second):
        return tuple(map(together, first, second))
    return REAL if {first, second} == {WHOLE, REAL} else joined(first, second)


class Kinds:
    """The kinds of all variables of an operation's function and of those that it calls.

    Parameters
    ----------
    definitions : sequence of ast.FunctionDef
        The last one is the operation's own; its names of variables may be those of others.
    parameters : sequence of str
        What is known of the parameters of the last one.
    result : str or tuple of str
        What the last one must give.
    load : str
        What a gather calls to load a pixel.
    """

    def __init__(
        self, definitions: Sequence[ast.FunctionDef], parameters: Sequence[str], result: Any, load: str
    ) -> None:
        self.load, self.definitions = load, {definition.name: definition for definition in definitions}
        self.known: dict[tuple[str, str], Any] = {}
        last = definitions[-1]
        self.results: dict[str, Any] = {last.name: result}
        names = [argument.arg for argument in last.args.args]
        self.known.update({(last.name, name): kind for name, kind in zip(names, parameters, strict=True)})
        before = None
        while before != (before := (dict(self.known), dict(self.results))):
            for name, definition in self.definitions.items():
                self.name = name
                for node in ast.walk(definition):
                    self._follow(node, definition is last)

    def _follow(self, node, is_last):
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._bind(target, self.kind(value))
            case ast.AugAssign(target=ast.Name() as target, op=op, value=value):
                self._bind(target, self.kind(ast.BinOp(target, op, value)))
            case ast.For(target=target, iter=source) | ast.comprehension(target=target, iter=source):
                self._bind(target, self._element(source))
            case ast.Return(value=ast.expr() as value):
                self.results[self.name] = together(self.results.get(self.name), self.kind(value))
            case ast.Call(func=ast.Name(id=name), args=values) if name in self.definitions:
                for argument, value in zip(self.definitions[name].args.args, values, strict=True):
                    at = name, argument.arg
                    self.known[at] = together(self.known.get(at), self.kind(value))

    def _bind(self, target, kind):
        if isinstance(target, ast.Name):
            at = self.name, target.id
            self.known[at] = joined(self.known.get(at), kind)
        elif isinstance(target, ast.Tuple):
            parts = (
                kind
                if isinstance(kind, tuple) and len(kind) == len(target.elts)
                else [OTHER] * len(target.elts)
            )
            for part, known in zip(target.elts, parts, strict=True):
                self._bind(part, known)

    def _element(self, source):
        """Of what a loop goes through."""
        if isinstance(source, ast.Call) and ast.unparse(source.func) == "range":
            return WHOLE
        kind = self.kind(source)
        return _common(kind) if isinstance(kind, tuple) else OTHER

    def kind(self, node: ast.expr) -> Any:
        """What is known of an expression."""
        match node:
            case ast.Constant(value=value):
                return WRITTEN if type(value) is int else OTHER
            case ast.Name(id=name):
                return self.known.get((self.name, name))
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
                return self.kind(operand)
            case ast.UnaryOp(op=ast.Invert()):
                return WHOLE
            case ast.Tuple(elts=values):
                return tuple(OTHER if _is_deep(kind) else kind for kind in map(self.kind, values))
            case ast.IfExp(body=body, orelse=other):
                return together(self.kind(body), self.kind(other))
            case ast.BinOp(left=left, op=op, right=right):
                return self._of_operator(op, left, right)
            case ast.Subscript(value=value, slice=at):
                kind = self.kind(value)
                if not isinstance(kind, tuple):
                    shape = isinstance(value, ast.Attribute) and value.attr == "shape"
                    return WHOLE if shape else OTHER if kind else None
                number = integer(at)
                if number is not None and -len(kind) <= number < len(kind):
                    return _read(kind[number])
                return _common(kind)
            case ast.Attribute(attr="size" | "ndim"):
                return WHOLE
            case ast.Call(func=function, args=values):
                return self._of_call(ast.unparse(function), values)
        return OTHER

    def _of_operator(self, op, left, right):
        if isinstance(op, BITS):
            return WHOLE
        kinds = self.kind(left), self.kind(right)
        if isinstance(op, ast.Pow) and integer(right) is not None:
            return kinds[0]
        kind = together(*kinds)
        return REAL if isinstance(op, ast.Div) and kind in (WRITTEN, WHOLE) else kind

    def _of_call(self, name, values):
        if name in ("np.float32", "uniform", self.load) or (name == "float" and self.kind(values[0]) == REAL):
            return REAL
        if name in WHOLES:
            return WHOLE
        if name in CHOICES and values:
            kind = None
            for value in values:
                kind = together(kind, self.kind(value))
            return kind
        return self.results.get(name) if name in self.definitions else OTHER


def _is_deep(kind):
    """Whether it is of tuples in a tuple: what is in a third is not followed, or there were no end."""
    return isinstance(kind, tuple) and any(isinstance(part, tuple) for part in kind)


def _read(kind):
    """A number that was written into a tuple is not written where it is read from there."""
    return WHOLE if kind == WRITTEN else kind


def _common(kinds: Iterable[Any]) -> Any:
    """Of what is in a tuple, wherever; what is written among float32 becomes float32."""
    kind = None
    for each in kinds:
        kind = joined(kind, each)
    return _read(kind)


class Reals(ast.NodeTransformer):
    """Put float32 for whole numbers where they meet pixels, in one function.

    Nothing is changed in what takes whole numbers: indices, places of pixels, numbers of draws, bounds of loops, sizes,
    and the operators of bits.
    """

    def __init__(self, kinds: Kinds, name: str) -> None:
        self.kinds, self.name = kinds, name

    def _kind(self, node):
        self.kinds.name = self.name
        return self.kinds.kind(node)

    def real(self, node: ast.expr, kind: Any) -> ast.expr:
        """An expression as it is where a value of that kind is wanted."""
        if isinstance(node, ast.Tuple):
            wanted = (
                kind if isinstance(kind, tuple) and len(kind) == len(node.elts) else [kind] * len(node.elts)
            )
            node.elts = [self.real(value, each) for value, each in zip(node.elts, wanted, strict=True)]
            return node
        if isinstance(node, ast.IfExp):
            node.body, node.orelse = self.real(node.body, kind), self.real(node.orelse, kind)
            return node
        own = self._kind(node)
        if own == WRITTEN and kind in (REAL, OTHER):
            return _written(node)
        if own == WHOLE and kind == REAL:
            return as_float32(node)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        if isinstance(node.op, BITS):
            return node
        power = isinstance(node.op, ast.Pow) and integer(node.right) is not None
        kinds = self._kind(node.left), self._kind(node.right)
        kind = kinds[0] if power else together(*kinds)
        node.left = self.real(self.visit(node.left), kind)
        if not power:
            node.right = self.real(self.visit(node.right), kind)
        return as_float32(node) if isinstance(node.op, ast.Div) and kind in (WRITTEN, WHOLE) else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        kind = self._kind(node)
        self.generic_visit(node)
        return self.real(node, kind)

    def visit_Assign(self, node: ast.Assign) -> Any:
        kinds = [self._wanted(target) for target in node.targets]
        node.value = self.visit(node.value)
        if len(node.targets) > 1 and WRITTEN == self._kind(node.value):
            return [
                self._assigned(node, [target], kind) for target, kind in zip(node.targets, kinds, strict=True)
            ]
        return self._assigned(node, node.targets, kinds[0])

    def _wanted(self, target):
        if isinstance(target, ast.Tuple):
            return tuple(map(self._wanted, target.elts))
        return self._kind(target) if isinstance(target, ast.Name) else OTHER

    def _assigned(self, node, targets, kind):
        value = ast.parse(ast.unparse(node.value), mode="eval").body
        is_row = isinstance(value, ast.Tuple) and not isinstance(targets[0], ast.Tuple)
        kind = _homogeneous(self._kind(value)) if is_row else kind
        return ast.copy_location(ast.Assign(targets, self.real(value, kind)), node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        if isinstance(node.op, BITS) or not isinstance(node.target, ast.Name):
            return node
        node.value = self.real(self.visit(node.value), self._kind(node.target))
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        if node.value is not None:
            node.value = self.real(self.visit(node.value), self.kinds.results.get(self.name))
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        node.iter = self._row(node.iter)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        self.generic_visit(node)
        node.iter = self._row(node.iter)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        node.value = self._row(self.visit(node.value))
        return node

    def visit_List(self, node: ast.List) -> ast.AST:
        self.generic_visit(node)
        kind = _common(tuple(map(self._kind, node.elts)))
        node.elts = [self.real(value, kind) for value in node.elts]
        return node

    def _row(self, node):
        """A tuple of which any element may be taken."""
        return self.real(node, _homogeneous(self._kind(node))) if isinstance(node, ast.Tuple) else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = ast.unparse(node.func)
        if name == "float" and self._kind(node.args[0]) in (WRITTEN, WHOLE):
            return node
        first = 2 if name == self.kinds.load else WHOLE_FROM.get(name, len(node.args))
        if isinstance(node.func, ast.Attribute) and not name.startswith("np."):
            node.func.value = self.visit(node.func.value)
        node.args = [self.visit(value) if at < first else value for at, value in enumerate(node.args)]
        if name in CHOICES:
            kind = self._kind(node)
            node.args = [self.real(value, kind) for value in node.args]
        elif name in self.kinds.definitions:
            wanted = [
                self.kinds.known.get((name, each.arg)) for each in self.kinds.definitions[name].args.args
            ]
            node.args = [self.real(value, kind) for value, kind in zip(node.args, wanted, strict=True)]
        elif name.removeprefix("np.") in REAL_FUNCTIONS or name == "np.array":
            node.args = [self._of_numpy(value) for value in node.args]
        return node

    def _of_numpy(self, value):
        """What NumPy computes with, element by element; it has another type for whole numbers."""
        if isinstance(value, ast.List):
            value.elts = [self.real(each, REAL) for each in value.elts]
            return value
        return self.real(value, OTHER)


REAL_FUNCTIONS = {name for name in BY_ELEMENT.split() if not name.startswith("bitwise")} - {"invert"}


def _homogeneous(kind):
    return _common(kind) if isinstance(kind, tuple) else kind


def _written(node):
    """What is written in whole numbers, as float32."""
    number = integer(node)
    if number is not None:
        return as_float32(number)
    if isinstance(node, ast.UnaryOp):
        node.operand = _written(node.operand)
    elif isinstance(node, ast.BinOp):
        node.left = _written(node.left)
        node.right = node.right if isinstance(node.op, ast.Pow) else _written(node.right)
    elif isinstance(node, ast.Call):
        node.args = [_written(value) for value in node.args]
    else:
        return as_float32(node)
    return node
