"""Values of an interpreted function: Numba's rules for numbers, stand-ins for what Python has no object for.

Numbers are Python's, but ``np.uint64`` stands for every unsigned integer, and smaller floats stay NumPy's.
"""

import math
import operator
from dataclasses import dataclass, field
from typing import Any

import numba
import numpy as np

INTEGERS = (int, np.uint64)
CONTAINERS = (list, dict, set)
NUMBERS = (int, float, complex, np.number)
BITS = 64


class NotUnderstood(Exception):
    """The interpreter does not know what this does; it says so rather than guess."""


class Outside(IndexError):
    """An index that only compiled code takes for one outside the array, and does not notice."""


class Raised(Exception):
    """The interpreted function raises the exception that is the first argument; a second one says on purpose."""


def theirs(fn, *args, **kwargs):
    """Call it as the interpreted function does: what it raises is not ours."""
    try:
        return fn(*args, **kwargs)
    except Exception as error:
        raise Raised(error) from error


@dataclass
class Closure:
    """A function defined inside the function, in the frame that defined it: Numba inlines it there."""

    function: object
    frame: object


@dataclass
class Method:
    """A method of a value, not called yet."""

    owner: object
    name: str


@dataclass
class Instance:
    """An instance of a jitclass or a structref, of which Numba's type is `kind`."""

    kind: Any
    fields: dict = field(default_factory=dict)

    @property
    def types(self):
        """Numba's types of all fields."""
        return self.kind.field_dict if isinstance(self.kind, numba.types.StructRef) else self.kind.struct

    @property
    def name(self):
        """What the source calls its class, or its type."""
        is_structref = isinstance(self.kind, numba.types.StructRef)
        return type(self.kind).__name__ if is_structref else self.kind.classname

    def method(self, name):
        """The compiled method of that name of a jitclass; None where there is none."""
        return getattr(self.kind, "jit_methods", {}).get(name)

    def getter(self, name):
        """The compiled function that gets a property of that name of a jitclass; None where there is none."""
        return getattr(self.kind, "jit_props", {}).get(name, {}).get("get")


@dataclass
class Prange:
    """What ``prange(...)`` returned, not iterated over yet."""

    iterations: object
    place: object


def scalar(value):
    """A NumPy scalar as the interpreter keeps it."""
    if not isinstance(value, np.generic):
        return value
    kind, size = value.dtype.kind, value.dtype.itemsize
    if kind == "u":
        return np.uint64(value)
    return value.item() if kind in "biUS" or (kind, size) in (("f", 8), ("c", 16)) else value


def plain(value):
    """The result of a library function as the interpreter keeps it."""
    if isinstance(value, np.void):
        return np.asarray(value)
    if isinstance(value, tuple):
        items = [plain(item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    if isinstance(value, list):
        return [plain(item) for item in value]
    return scalar(value)


def cast(value, dtype):
    """A number as this type, wrapping around and cutting off as compiled code does."""
    return scalar(np.asarray(value).astype(dtype)[()])


def as_dtype(value):
    """The NumPy type that a Numba type stands for; any other value as it is."""
    return numba.np.numpy_support.as_dtype(value) if isinstance(value, numba.types.Type) else value


def of_one_kind(items):
    """A list or tuple of integers of which some are unsigned and some are not, as Numba unifies them: signed."""
    kinds = set(map(type, items))
    if kinds == {int, np.uint64}:
        return type(items)(map(int, items))
    return [of_one_kind(x) if isinstance(x, list) else x for x in items] if type(items) is list else items


def as_array_operand(value):
    """A number with the type that Numba gives it beside an array: NumPy would adapt it to the array."""
    return np.asarray(value)[()] if isinstance(value, (bool, int, float, complex)) else value


def as_unsigned(value):
    """The index of a parallel loop as its body has it, if Numba makes it unsigned there."""
    return tuple(map(np.uint64, value)) if isinstance(value, tuple) else np.uint64(value)


def as_index(value):
    """An index, with plain integers."""
    if isinstance(value, tuple):
        return tuple([k if type(k) is int else as_index(k) for k in value])
    if isinstance(value, slice):  # its bounds are signed in any case
        return slice(*(as_signed(bound) for bound in (value.start, value.stop, value.step)))
    return int(value) if isinstance(value, np.uint64) else value


def as_signed(value):
    """An unsigned integer as the signed one of the same bits; any other value as it is."""
    return int(value.astype(np.int64)) if isinstance(value, np.uint64) else value


def check_signs(index):
    """Refuse a negative index that became a huge one because the index of the parallel loop is unsigned."""
    for axis, k in enumerate(index if isinstance(index, tuple) else (index,)):
        if isinstance(k, int) and k >> (BITS - 1) == 1:
            unsigned = "the index of a prange loop is unsigned (uint64) in its body"
            raise Raised(Outside(f"{unsigned}, so index {k - (1 << BITS)} of axis {axis} is {k} there"))


def arithmetic(fn, operands, lenient):
    """An operator on numbers; `lenient` as in a parallel loop, where a division by zero gives a value."""
    kinds = {type(x) for x in operands}
    if kinds == {float}:
        unsigned = False
    elif all(issubclass(kind, INTEGERS) for kind in kinds) and kinds != {bool}:
        unsigned = all(isinstance(x, np.uint64) for x in operands)
        operands = [int(x) for x in operands]
        if fn in (operator.lshift, operator.ilshift, operator.rshift, operator.irshift):
            operands[1] = min(operands[1], BITS)
        if fn in (operator.pow, operator.ipow) and operands[1] > BITS:
            return _wrapped(pow(operands[0], operands[1], 1 << BITS), unsigned)
    else:
        unsigned = False
        small = [isinstance(x, (np.floating, np.complexfloating)) for x in operands]
        if any(small) and not all(small):
            operands = [x.item() if s else x for x, s in zip(operands, small, strict=True)]
    try:
        result = scalar(theirs(fn, *operands))
    except Raised as error:
        if not lenient or not isinstance(error.args[0], ZeroDivisionError):
            raise
        result = _divided_by_zero(fn, operands[0])
    return _wrapped(result, unsigned) if type(result) is int else result


def _wrapped(value, unsigned):
    """The low 64 bits of an integer."""
    if -(1 << (BITS - 1)) <= value < 1 << (BITS - 1) and not unsigned:
        return value
    value &= (1 << BITS) - 1
    if unsigned:
        return np.uint64(value)
    return value - (1 << BITS) if value >> (BITS - 1) else value


def _divided_by_zero(fn, value):
    if fn not in (operator.truediv, operator.itruediv) and isinstance(value, int):
        return 0
    if fn in (operator.mod, operator.imod) or value == 0 or value != value:
        return math.nan
    return math.copysign(math.inf, value)
