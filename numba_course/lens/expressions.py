"""One expression in Python and compiled, side by side: the values, their types, and whether they agree."""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numba import njit
from numba.core import types
from numba.core.errors import NumbaError

from numba_course.lens import html

NAMES = "abcd"  # of the values that an expression is given
SAME = {
    "int": "int64",
    "float": "float64",
    "complex": "complex128",
    "str": "unicode_type",
    "NoneType": "none",
}
REFUSED = "refused"  # by the compiler


@dataclass(frozen=True)
class Outcome:
    """What an expression gave: its value, the name of its type, and both in words; or, in `text`, an error."""

    value: Any
    type: str
    text: str


@dataclass(frozen=True)
class Row:
    """An expression, the values that it was given, what it gave in Python and compiled, and how these differ."""

    expression: str
    given: tuple[str, ...]
    python: str
    compiled: str
    verdict: str


@dataclass(frozen=True, repr=False)
class SideBySide(html.Shown):
    """What `side_by_side` found.

    Attributes
    ----------
    rows : tuple of Row
    """

    rows: tuple[Row, ...]
    _title = "Python and compiled, side by side"

    def _rows(self):
        width = max((len(row.given) for row in self.rows), default=0)
        yield ("expression", *NAMES[:width], "in Python", "compiled", "verdict")
        for row in self.rows:
            given = (*row.given, *[""] * (width - len(row.given)))
            yield (row.expression, *given, row.python, row.compiled, row.verdict)

    def _lines(self):
        differ = sum(row.verdict != "same" for row in self.rows)
        yield "info", f"{differ} of {len(self.rows)} differ"


@dataclass(frozen=True, repr=False)
class Promotions(html.Shown):
    """What `promotions` found.

    Attributes
    ----------
    rows : tuple of (str, str, str, str, str)
        Types of a and b; type of a + b in NumPy, compiled of two scalars, and compiled of arrays.
    """

    rows: tuple[tuple[str, str, str, str, str], ...]
    _title = "the type of a + b"

    def _rows(self):
        yield ("a", "b", "NumPy", "compiled, scalars", "compiled, arrays")
        for *given, plain, scalars, arrays in self.rows:
            yield (*given, plain, _marked(scalars, plain), _marked(arrays, plain))

    def _lines(self):
        yield "info", "≠ marks a type that is not NumPy's"


def _marked(kind, plain):
    return kind if kind == plain else f"≠ {kind}"


def side_by_side(*rows: tuple[Any, ...]) -> SideBySide:
    """Evaluate expressions in Python and compiled, and say where value or type differ.

    A Python int is the same as an int64, a float as a float64, a complex as a complex128.

    Parameters
    ----------
    *rows : tuple
        The text of an expression in ``np``, ``math``, ``a``, ``b``, ``c`` and ``d``, and then the values of as many of
        the four as it needs. Each is used as it is: the expression must not change it.

    Returns
    -------
    SideBySide

    Raises
    ------
    ValueError
        If more than four values are given.
    SyntaxError
        If the text is no expression.
    """
    return SideBySide(tuple(_row(*row) for row in rows))


def _row(expression, *values):
    if len(values) > len(NAMES):
        raise ValueError(f"an expression has at most {len(NAMES)} values, not {len(values)}")
    text = f"lambda {', '.join(NAMES[: len(values)])}: {expression}"
    function = eval(text, {"np": np, "math": math})
    compiled = njit(function)
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        plain = _outcome(function, values, _kind)
        other = _outcome(
            compiled, values, lambda _: _kind_in_numba(compiled.nopython_signatures[0].return_type)
        )
    return Row(expression, tuple(map(_shown, values)), plain.text, other.text, _verdict(plain, other))


def _outcome(function, values, kind_of):
    """What a call gives, or the error that it raises."""
    try:
        value = function(*values)
    except NumbaError:
        return Outcome(None, "", REFUSED)
    except Exception as error:
        return Outcome(None, "", type(error).__name__)
    kind = kind_of(value)
    if kind == "float32" and isinstance(value, float):  # which Python has made of it
        return Outcome(value, kind, f"{np.float32(value)!s} {kind}")
    return Outcome(value, _known(kind), _shown(value, kind))


def _known(kind):
    """The name of a type, with those of Python's own types replaced by those that Numba gives them."""
    return re.sub(r"\w+", lambda word: SAME.get(word[0], word[0]), kind)


def _kind(value):
    """The name of a value's type; of what it holds, if that is an array, a tuple or a list."""
    if isinstance(value, (tuple, list)):
        return f"{type(value).__name__} of {', '.join(dict.fromkeys(map(_kind, value)))}"
    return str(getattr(value, "dtype", type(value).__name__))


def _kind_in_numba(kind):
    """The same of a type of Numba's."""
    kind = types.unliteral(kind)
    if isinstance(kind, types.BaseTuple):
        return f"tuple of {', '.join(dict.fromkeys(map(_kind_in_numba, kind)))}"
    if isinstance(kind, types.List):
        return f"list of {_kind_in_numba(kind.dtype)}"
    return str(kind.dtype if isinstance(kind, types.Array) else kind)


def _shown(value, kind=""):
    number = isinstance(value, (int, float, complex, np.generic, np.ndarray))
    return f"{value!s} {kind or _kind(value)}" if number else f"{value!r}"


def _verdict(plain, other):
    """In a word or two, how what an expression gave in Python and compiled differ."""
    if REFUSED == other.text:
        return REFUSED
    if not plain.type or not other.type:
        both = "same" if plain.text == other.text else "other error"
        return "only Python raises" if other.type else "only compiled raises" if plain.type else both
    if not _is_equal(plain.value, other.value):
        return "other value"
    return "same" if plain.type == other.type else "other type"


def _is_equal(one, other):
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(one, other, equal_nan=True)
    return bool(one == other or (one != one and other != other))


def promotions(*pairs: tuple[str, str]) -> Promotions:
    """Find the type of a sum: in NumPy, in compiled code of two scalars, and in compiled code of arrays.

    Parameters
    ----------
    *pairs : tuple of (str, str)
        Types of the two: of NumPy, such as ``"uint8"``; the second may be ``"int"`` or ``"float"``, a number of
        Python, which stays a number beside the array.

    Returns
    -------
    Promotions

    Raises
    ------
    TypeError
        If NumPy has no such type.
    """
    return Promotions(tuple((one, other, *_sums(one, other)) for one, other in pairs))


def _sums(one, other):
    """The types of the sum of what these types name: in NumPy; compiled, of scalars; compiled, of arrays."""
    first = np.dtype(one).type(1)
    second = {"int": int, "float": float}.get(other) or np.dtype(other).type
    second = second(1)
    add = njit(lambda a, b: a + b)
    as_array = np.array([first]), second if other in ("int", "float") else np.array([second])
    kinds = []
    for arguments in ((first, second), as_array):
        add(*arguments)
        kind = add.overloads[tuple(map(numba.typeof, arguments))].signature.return_type
        kinds.append(str(getattr(kind, "dtype", kind)))
    return str((first + second).dtype), *kinds
