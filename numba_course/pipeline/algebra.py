"""What can be seen in a lifted function's text: whether it serves vectors, and whether it keeps rows together."""

from __future__ import annotations

import ast
from dataclasses import dataclass

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


def names_in(node: ast.AST) -> set[str]:
    """The names in an expression or a statement."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def is_straight(definition: ast.FunctionDef, fixed: set[str], helpers: set[str]) -> bool:
    """Whether a point function only adds, subtracts, multiplies, divides and takes min or max: in any order, of any.

    Such code serves vectors as well as numbers. It may branch where no pixel has a part in the test: `fixed` are
    parameters that are the same for all. It may call `helpers`, which are straight.
    """
    own = {argument.arg for argument in definition.args.args}
    own |= {node.id for node in ast.walk(definition) if isinstance(node, ast.Name) and _is_stored(node)}
    changing = own - fixed

    def straight(node):
        if isinstance(node, ast.If | ast.IfExp):
            used = names_in(node.test)
            parts = [*node.body, *node.orelse] if isinstance(node, ast.If) else [node.body, node.orelse]
            return not used & changing and all(map(straight, parts))
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            pair = name in ("min", "max") and len(node.args) == 2 and not node.keywords
            drawn = name == "uniform" and not changing & names_in(node)
            calls = pair or name in helpers
            return _is_literal(node) or drawn or (calls and all(map(straight, node.args)))
        if isinstance(node, ast.UnaryOp):
            return isinstance(node.operand, ast.Constant)
        if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Constant | ast.UnaryOp):
            return False
        if isinstance(node, ast.Expr):
            return isinstance(node.value, ast.Constant)  # a docstring
        return isinstance(node, STRAIGHT) and all(map(straight, ast.iter_child_nodes(node)))

    return all(map(straight, definition.body))


def _is_stored(node):
    return isinstance(node.ctx, ast.Store)


def _is_literal(node):
    """Whether a call is a number that was written as ``np.float32(...)``."""
    if ast.unparse(node.func) != "np.float32" or len(node.args) != 1:
        return False
    number = node.args[0].operand if isinstance(node.args[0], ast.UnaryOp) else node.args[0]
    return isinstance(number, ast.Constant) or ast.unparse(number) in ("np.inf", "np.nan")


@dataclass(frozen=True)
class Form:
    """What is known of a value in a row: by how much it may grow from pixel to pixel, and whether it is whole."""

    slopes: frozenset[int]
    is_whole: bool

    @property
    def is_fixed(self) -> bool:
        """Whether all pixels of a row have the same."""
        return self.slopes == FIXED


FIXED = frozenset({0})
KEEP_WHOLE = ast.Mult | ast.FloorDiv | ast.Mod | ast.BitAnd | ast.BitOr | ast.BitXor


class _Unknown(Exception):
    """The text does not show what a value is."""


def keeps_rows(definition: ast.FunctionDef) -> bool:
    """Whether a move takes each row from one row, one pixel after the other, forwards or backwards.

    It is asked of the text: the row must be made without `x`; the column must be `x` or ``-x`` plus what is made
    without `x`; tests, too. What it cannot see it denies.
    """
    y, x, key = (argument.arg for argument in definition.args.args)
    names = {y: Form(FIXED, True), x: Form(frozenset({1}), True), key: Form(FIXED, True)}
    results = []
    try:
        ends = _follow(definition.body, names, results)
    except _Unknown:
        return False
    rows = all(row.is_fixed and row.is_whole for row, _ in results)
    columns = all(column.is_whole and column.slopes <= {1, -1} for _, column in results)
    return ends and rows and columns


def _follow(statements, names, results):
    """Follow statements, put down what is returned, and say whether each way through them ends in a return."""
    for statement in statements:
        match statement:
            case ast.Return(value=ast.Tuple(elts=[row, column])):
                results.append((_form(row, names), _form(column, names)))
                return True
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                names[name] = _form(value, names)
            case ast.Assign(targets=[ast.Tuple(elts=into)], value=ast.Tuple(elts=values)):
                if len(into) != len(values) or not all(isinstance(target, ast.Name) for target in into):
                    raise _Unknown
                forms = [_form(value, names) for value in values]
                names.update((target.id, form) for target, form in zip(into, forms, strict=True))
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                names[name] = _form(ast.BinOp(ast.Name(name, ast.Load()), op, value), names)
            case ast.If(test=test, body=body, orelse=other):
                if not _form(test, names).is_fixed:
                    raise _Unknown
                ways = [(dict(names), part) for part in (body, other)]
                open_ways = [known for known, part in ways if not _follow(part, known, results)]
                if not open_ways:
                    return True
                names.clear()
                names.update(_joined(open_ways))
            case ast.Expr(value=ast.Constant()) | ast.Pass():
                pass
            case _:
                raise _Unknown
    return False


def _joined(ways):
    """What is known after several ways: of names that all of them have."""
    common = set.intersection(*(set(known) for known in ways))
    return {name: _either(*(known[name] for known in ways)) for name in common}


def _either(*forms):
    return Form(frozenset().union(*(form.slopes for form in forms)), all(form.is_whole for form in forms))


def _form(node, names):
    """The form of an expression."""
    match node:
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.Constant(value=int() | float() as value):
            return Form(FIXED, isinstance(value, int))
        case ast.Attribute(value=ast.Name(id="np")):
            return Form(FIXED, False)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
            sign = 1 if isinstance(node.op, ast.Add) else -1
            return _sum(_form(left, names), _form(right, names), sign)
        case ast.BinOp(left=left, right=right):
            return _fixed([left, right], names, isinstance(node.op, KEEP_WHOLE))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            form = _form(operand, names)
            return Form(frozenset(-slope for slope in form.slopes), form.is_whole)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _fixed([operand], names, True)
        case ast.IfExp(test=test, body=body, orelse=other):
            if not _form(test, names).is_fixed:
                raise _Unknown
            return _either(_form(body, names), _form(other, names))
        case ast.BoolOp(values=values):
            return _fixed(values, names, True)
        case ast.Compare(left=left, comparators=others):
            _fixed([left, *others], names, True)
            return Form(FIXED, True)
        case ast.Call(func=ast.Name(id="whole"), args=[value], keywords=[]):
            form = _form(value, names)
            return form if form.is_whole else Form(_fixed([value], names, False).slopes, True)
        case ast.Call(func=function, args=values, keywords=[]):
            keeps = isinstance(function, ast.Name) and function.id in ("min", "max", "abs")
            return _fixed(values, names, keeps)
        case ast.Subscript(value=ast.Tuple(elts=values), slice=at):
            _fixed([at], names, True)
            return _fixed(values, names, True)
    raise _Unknown


def _sum(a, b, sign):
    slopes = frozenset(p + sign * q for p in a.slopes for q in b.slopes)
    form = Form(slopes, a.is_whole and b.is_whole)
    if not (form.is_whole or form.is_fixed):
        raise _Unknown  # a float that grows is rounded somewhere
    return form


def _fixed(nodes, names, keeps_whole):
    """What is made of values that all pixels of a row share."""
    forms = [_form(node, names) for node in nodes]
    if not all(form.is_fixed for form in forms):
        raise _Unknown
    return Form(FIXED, keeps_whole and all(form.is_whole for form in forms))
