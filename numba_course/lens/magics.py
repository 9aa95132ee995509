"""The instruments as magics of IPython: ``%load_ext numba_course.lens``, then ``%races f(x, y)``."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import needs_local_scope

from numba_course import lens
from numba_course.lens.errors import reason_after_kind

OF_A_CALL = ("races", "runs", "machine_code", "types", "stages", "gil", "profile")
OF_A_FUNCTION = ("cache",)


def register(shell: Any) -> None:
    """Give a session the magics."""
    for name in (*OF_A_CALL, *OF_A_FUNCTION):
        shell.register_magic_function(_magic(shell, name), "line", name)


def _magic(shell, name):
    """The magic of one instrument."""
    instrument = getattr(lens, name)

    @needs_local_scope
    def magic(line, local_ns=None):
        fn, args, named = _read(name, line.strip(), {**shell.user_ns, **(local_ns or {})})
        try:
            return instrument(fn, *args, **named)
        except (TypeError, ValueError, RuntimeError) as error:
            raise UsageError(str(error)) from None

    shown = "f(x, y)" if name in OF_A_CALL else "f"
    magic.__doc__ = f"``%{name} {shown}``: what ``lens.{name}`` says of it.\n\n{instrument.__doc__}"
    return magic


def _read(name: str, line: str, names: Mapping[str, Any]) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """The function of a line, and its arguments, by the names of the session; the call is not made."""
    form = "a call, such as f(x, y), which is not made" if name in OF_A_CALL else "a function"
    line = line.rstrip("; ")  # which shows nothing in IPython, whatever a line is
    if not line:
        raise UsageError(f"%{name} takes {form}")
    try:
        tree = ast.parse(line, mode="eval").body
    except SyntaxError as error:
        raise UsageError(f"%{name} takes {form}; {line!r} is none: {error.msg}") from None
    if name in OF_A_FUNCTION and isinstance(tree, ast.Call):
        raise UsageError(f"%{name} takes {form}, and makes no call; {line!r} is one")
    if name in OF_A_FUNCTION:
        return _value(name, tree, names), (), {}
    if not isinstance(tree, ast.Call):
        raise UsageError(f"%{name} takes {form}; {line!r} is none")
    everything = ast.Call(ast.Name("_taken", ast.Load()), tree.args, tree.keywords)
    args, named = _value(name, everything, {**names, "_taken": lambda *args, **named: (args, named)})
    return _value(name, tree.func, names), args, named


def _value(name, tree, names):
    """The value of an expression in the session."""
    expression = ast.fix_missing_locations(ast.Expression(tree))
    try:
        return eval(compile(expression, f"<%{name}>", "eval"), dict(names))
    except Exception as error:
        raise UsageError(f"%{name}: {reason_after_kind(error)}") from None
