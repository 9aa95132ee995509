"""The global names that Python's statements bind, read and delete: by what the compiler makes of them."""

from __future__ import annotations

import ast
import dis
import re
import types
import warnings
from collections.abc import Iterable, Iterator

from numba_course.syntax import parse

AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT  # as in a notebook
NO_PYTHON = (
    SyntaxError,
    ValueError,
    RecursionError,
    MemoryError,
    OverflowError,
)  # so the compiler refuses a text
BINDING = re.compile(r"^(?:(?:async +)?(?:def|class) +(\w+)|(\w+) *(?::[^=\n]+)?=(?!=))", re.MULTILINE)


def statements(text: str) -> list[ast.stmt] | None:
    """The statements of a text; None where a notebook would refuse it as no Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about what stands in the text: it is not ours
        try:
            compile(text, "<cell>", "exec", AWAIT, dont_inherit=True)  # refuses more than the parser does
            return parse(text).body
        except NO_PYTHON:
            return None


def bound(text: str) -> list[str]:
    """The global names that a text binds, however it does, each where it does so last.

    Of a text that is no Python: the names at the beginning of lines that look as if they did.
    """
    found = statements(text)
    order = [a or b for a, b in BINDING.findall(text)] if found is None else stored(found)
    return list(dict.fromkeys(reversed(order)))[::-1]


def stored(found: Iterable[ast.stmt]) -> list[str]:
    """The global names that statements bind, in their order; those that their functions bind come last."""
    return _names(found, "STORE", "GLOBAL")


def deleted(found: Iterable[ast.stmt]) -> list[str]:
    """The global names that statements delete, or functions in them."""
    return _names(found, "DELETE", "GLOBAL")


def loaded(found: Iterable[ast.stmt]) -> list[str]:
    """The global names that statements read, or functions in them."""
    return _names(found, "LOAD", "(NAME|GLOBAL)")


def _names(found, operation, inner):
    """The names that instructions of an operation have: of the statements themselves, and of code inside them.

    In the body of a class, unlike elsewhere, the instruction that stores a NAME binds no global one.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = compile(ast.Module(list(found), []), "<cell>", "exec", AWAIT, dont_inherit=True)
    outer, *others = _codes(module)
    return [*_arguments(outer, f"{operation}.*(NAME|GLOBAL)")] + [
        name for code in others for name in _arguments(code, f"{operation}.*{inner}")
    ]


def _arguments(code, operation):
    return [step.argval for step in dis.get_instructions(code) if re.match(operation, step.opname)]


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """A piece of code, and all that are inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)
