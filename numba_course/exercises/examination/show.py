"""Values as the learner would write them: short, aligned, and the same on every machine; and long texts cut.

Nothing here raises, and nothing that it gives is long, whatever a value is: it may be of a class of the answer's.
Numbers have six digits, or as many as two of them need to be told apart (`show_both`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

import numpy as np

from numba_course.process.wire import Opaque

LONGEST = 12  # elements of an array, or of a list, that are written out
SIDE = 6  # rows and columns of a matrix that is written out nevertheless
WIDTH = 44  # characters of a matrix that stands on one line; a wider one has its rows below each other
TEXT = 80  # characters of a text, or of what an object says of itself
DEEPEST = 4  # lists in lists
WHOLE_TEXT = 1_200  # characters of any value; a matrix of six rows with all digits fits
DIGITS = 6
MORE_DIGITS = (9, 12, 17)  # 9 tell all float32 apart, 17 all float64
WHOLE = 2.0**53  # below it a float that is a whole number is exactly that


def show(value: object) -> str:
    """The value as source text, floats to six digits; a long array by its type and shape."""
    return _safely(value, DIGITS)


def show_both(one: object, other: object) -> tuple[str, str]:
    """Two values that are not equal, to be seen beside each other: with as many digits as tell them apart.

    Of a scalar of NumPy that is the number alone; where its type matters, `show_type` says it.
    """
    values = [value.item() if isinstance(value, np.generic) else value for value in (one, other)]
    for digits in (DIGITS, *MORE_DIGITS):
        texts = _safely(values[0], digits), _safely(values[1], digits)
        if texts[0] != texts[1]:
            break
    return texts


def is_written_out(array: np.ndarray) -> bool:
    """Whether `show` writes the elements of an array, and not only its type and shape."""
    is_small = array.size <= LONGEST or (array.ndim == 2 and max(array.shape) <= SIDE)
    return is_small and not array.dtype.names


def _safely(value, digits, depth=0):
    """The text of a value; one that cannot be shown is named."""
    try:
        text = _text(value, digits, depth)
        return _beginning(text[:WHOLE_TEXT], len(text) - WHOLE_TEXT)
    except BaseException as error:  # sys.exit in a __repr__ is a __repr__ that raised
        kind, raised = type(value).__name__, type(error).__name__
        return escaped(f"<{kind}, which cannot be shown: {raised}>")


def _text(value, digits, depth):
    if isinstance(value, np.ndarray):
        return _array(value, digits)
    if isinstance(value, np.generic):
        return _numpy_scalar(value, digits)
    if type(value) is float:
        return _float(value, digits)
    if type(value) is complex:
        return f"complex({_float(value.real, digits)}, {_float(value.imag, digits)})"
    if type(value) is int and value.bit_length() > 256:  # Python itself refuses to write a very long one
        return f"<an int of {value.bit_length():,} bits>"
    if type(value) in (str, bytes):
        return _beginning(repr(value[:TEXT]), len(value) - TEXT)
    if type(value) in (tuple, list, set, frozenset, dict) and value:
        return _several(value, digits, depth)
    text = repr(value)
    return _beginning(escaped(text[:TEXT]), len(text) - TEXT)


def _beginning(text, more):
    """The beginning of a text, with what was left out."""
    return f"{text}… {more:,} more characters" if more > 0 else text


def _several(values, digits, depth):
    """The first of the values in a list, tuple, set or dictionary, and how many more there are."""
    if depth == DEEPEST:
        return "…"
    items = values.items() if type(values) is dict else values
    texts = [_item(item, type(values) is dict, digits, depth + 1) for item in islice(items, LONGEST)]
    if len(values) > LONGEST:
        texts.append(f"… {len(values) - LONGEST:,} more")
    inside = ", ".join(texts)
    if type(values) is tuple:
        return f"({inside},)" if len(values) == 1 else f"({inside})"
    if type(values) is frozenset:
        return f"frozenset({{{inside}}})"
    return f"[{inside}]" if type(values) is list else f"{{{inside}}}"


def _item(item, is_pair, digits, depth):
    """An element of a list, or a key of a dictionary with its value."""
    return ": ".join(_safely(part, digits, depth) for part in (item if is_pair else (item,)))


def _float(value, digits):
    """A float as it is where that is short or it is a whole number; otherwise to so many digits."""
    if value != value or value in (np.inf, -np.inf):
        return {"nan": "np.nan", "inf": "np.inf", "-inf": "-np.inf"}[repr(value)]
    text = repr(value)
    if len(text) <= digits + 3 or (abs(value) < WHOLE and value.is_integer()):
        return text
    text = f"{value:.{digits}g}"
    return text if "." in text or "e" in text else f"{text}.0"


def _numpy_scalar(value, digits):
    """A scalar of NumPy: of the types that NumPy and Python share a number alone, otherwise with its type."""
    plain = {"b": bool, "i": int, "u": int, "f": float, "c": complex}.get(value.dtype.kind)
    if plain is None:
        text = repr(value)
        return _beginning(escaped(text[:TEXT]), len(text) - TEXT)
    number = _text(plain(value), digits, 0)
    return number if _is_usual(value.dtype) else f"np.{value.dtype.name}({number})"


def _is_usual(dtype):
    """Whether it is a type that NumPy chooses for numbers of Python."""
    return dtype in (np.float64, np.int64, np.bool_, np.complex128)


def _array(array, digits):
    """An array as a call of np.array, the rows of a matrix below each other; or its type where it is long."""
    if not is_written_out(array):
        return f"{show_type(array)}{_flags(array)}"
    body = _nested(array.tolist(), digits)
    if array.ndim == 2 and len(array) > 1 and len(body) > WIDTH:
        body = _rows([[_safely(value, digits, 1) for value in row] for row in array.tolist()])
    is_told = array.size and (_is_usual(array.dtype) or array.dtype.kind in "US")
    dtype = "" if is_told else f", dtype=np.{array.dtype.name}"
    shape = f".reshape{array.shape}" if array.ndim > 1 and not array.size else ""
    return f"np.array({body}{dtype}){shape}{_flags(array)}"


def _flags(array):
    """What an array is that others of its elements are not: for whom its memory matters."""
    flags, said = array.flags, []
    if array.size and not flags.c_contiguous:
        said.append("in Fortran order" if flags.f_contiguous else "strided")
    if not flags.writeable:
        said.append("read-only")
    return f" ({', '.join(said)})" if said else ""


def _nested(values, digits):
    """Nested lists on one line."""
    if not isinstance(values, list):
        return _safely(values, digits, 1)
    return f"[{', '.join(_nested(value, digits) for value in values)}]"


def _rows(cells):
    """A matrix of texts, a row a line, columns aligned."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = (", ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "[\n" + "".join(f"    [{line}],\n" for line in lines) + "]"


def show_call(names: Iterable[str], args: Iterable[object]) -> str:
    """Arguments as in a call, by name."""
    return ", ".join(f"{name}={show(value)}" for name, value in zip(names, args, strict=True))


def show_type(value: object) -> str:
    """What kind of value it is: dtype and shape of an array, the type of anything else."""
    if isinstance(value, np.ndarray):
        return (
            f"{value.dtype.name} array of shape {value.shape}"
            if value.size
            else f"{value.dtype.name} array, {value.ndim}-D"
        )
    return type_name(value)


def type_name(value: object) -> str:
    """The name of a value's type, also where another stands for the value."""
    return escaped(value.kind if isinstance(value, Opaque) else type(value).__name__)


def show_kinds(kinds: Iterable[object]) -> str:
    """Numba's types of the arguments of a call."""
    return ", ".join(map(str, kinds))


def show_some(texts: Iterable[str], shown: int = 3) -> str:
    """The first of some texts, and how many more there are."""
    texts = list(texts)
    more = [f"{len(texts) - shown} more"] if len(texts) > shown else []
    return "; ".join(texts[:shown] + more)


# ---- texts of any kind


def escaped(text: str) -> str:
    """The text with all that no screen shows, but line breaks and tabs, as Python would write it.

    So a terminal takes no orders from it, and any encoding of Unicode can carry it.
    """
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() or sign in "\n\t" else sign.encode("unicode_escape").decode()
        for sign in text
    )


def cut(text: str, characters: int, lines: int) -> str:
    """The beginning of a text, made harmless (`escaped`), and how much was left out of it."""
    text = text.rstrip("\n")
    kept = "\n".join(text[:characters].split("\n")[:lines])
    left = text[len(kept) :]
    if not left:
        return escaped(kept)
    if "\n" not in left:
        return f"{escaped(kept)}… {_count(len(left), 'more character')}"
    broken = "" if left.startswith("\n") else "…"  # a line that goes on
    return f"{escaped(kept)}{broken}\n… {_count(left.count(chr(10)), 'more line')}"


def _count(number, what):
    """A number of things, in words."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def one_line(text: str) -> str:
    """The text without line breaks: a matrix is written as on one line."""
    text = re.sub(r"(?<=[(\[{])\n *", "", text)
    text = re.sub(r",\n *(?=[)\]}])", "", text)
    return re.sub(r"\s*\n\s*", " ", text).strip()
