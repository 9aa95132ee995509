"""A cell of a notebook as a program of its own: with what it needs of the cells before it, and no more of them."""

import ast
import dis
import re

FUNCTIONS = ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef
DEFINITIONS = (*FUNCTIONS, ast.Import, ast.ImportFrom)
SHOW = {"print", "display", "exercises", "lens", "figures"}  # they leave what they are called with as it is


def program(cells):
    """The last cell as a program: before it, of the other cells, the statements that it needs.

    These are the imports, functions and assignments that bind a global name which it reads, those that change in
    place what such a name stands for, and what they read in turn. What a cell only shows or measures does not run.
    A change inside a function that is called without its argument, or inside an expression, is not seen.
    """
    *before, last = (statements(cell) for cell in cells)
    candidates = [statement for found in before for statement in found]
    effects = [(_names([s], "STORE") | _changed(s), _changed_as_data(s)) for s in candidates]
    data = {name for s in candidates if not isinstance(s, DEFINITIONS) for name in _names([s], "STORE")}
    needed, chosen = _names(last, "LOAD"), set()
    while True:
        more = {
            n
            for n, (certain, of_data) in enumerate(effects)
            if n not in chosen and (certain | of_data & data) & needed
        }
        if not more:
            break
        chosen |= more
        needed |= _names([candidates[n] for n in more], "LOAD")
    lines = [ast.unparse(candidates[n]) for n in sorted(chosen)]
    return "\n".join([*lines, cells[-1]]) + "\n"


def without_magics(cell):
    """A cell's text with nothing done where it had a command for IPython or for the system."""
    return re.sub(r"^(\s*)[%!].*", r"\1pass", cell, flags=re.MULTILINE)


def statements(cell):
    """The statements of a cell's text; none where it is no Python."""
    try:
        return ast.parse(cell).body
    except SyntaxError:
        return []


def _names(found, kind):
    """The global names that statements load or store, in functions as well."""
    waiting, names = [compile(ast.Module(list(found), []), "<cell>", "exec")], set()
    while waiting:
        code = waiting.pop()
        waiting += [constant for constant in code.co_consts if hasattr(constant, "co_code")]
        for step in dis.get_instructions(code):
            if step.opname.startswith(kind) and ("NAME" in step.opname or "GLOBAL" in step.opname):
                names.add(step.argval)
    return names


def _changed(statement):
    """The names of what a statement changes in place for certain, or adds itself to, as ``@overload(name)`` does."""
    if isinstance(statement, FUNCTIONS):
        calls = [decorator for decorator in statement.decorator_list if isinstance(decorator, ast.Call)]
        return {_root(argument) for call in calls for argument in _arguments(call)}
    parts = (n for n in _walk(statement) if isinstance(n, ast.Attribute | ast.Subscript))
    return {_root(part) for part in parts if not isinstance(part.ctx, ast.Load)}


def _changed_as_data(statement):
    """The names of what a statement changes if it is data: it calls a method of it, or a function with it."""
    names = set()
    for part in _walk(statement):
        if isinstance(part, ast.Call):
            names |= {_root(keyword.value) for keyword in part.keywords if keyword.arg == "out"}
        if (
            isinstance(part, ast.Expr)
            and isinstance(part.value, ast.Call)
            and _root(part.value.func) not in SHOW
        ):
            names |= {_root(each) for each in (part.value.func, *_arguments(part.value))}
    return names


def _walk(statement):
    """The parts of a statement that run with it: not the bodies of functions."""
    waiting = [statement]
    while waiting:
        part = waiting.pop()
        if not isinstance(part, (*FUNCTIONS, ast.Lambda)):
            yield part
            waiting += ast.iter_child_nodes(part)


def _arguments(call):
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _root(expression):
    """The name that an expression such as ``name[0].part`` begins with; None if it begins otherwise."""
    while isinstance(expression, ast.Attribute | ast.Subscript | ast.Starred):
        expression = expression.value
    return getattr(expression, "id", None)
