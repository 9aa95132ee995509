"""Values of an interpreted function: Numba's rules for numbers, stand-ins for what Python has no object for.

Numbers are Python's, which stand for `int32`, too; unsigned and smaller integers, and smaller floats, stay NumPy's.
"""

import math
import operator
from dataclasses import dataclass, field
from typing import Any

import numba
import numpy as np

INTEGERS = (int, np.integer)
CONTAINERS = (list, dict, set)
NUMBERS = (int, float, complex, np.number)
BITS = 64
LOWEST, HIGHEST = -(1 << (BITS - 1)), (1 << (BITS - 1)) - 1
COMPARISONS = operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne
SHIFTS = operator.lshift, operator.ilshift, operator.rshift, operator.irshift
DIVISIONS = operator.floordiv, operator.ifloordiv, operator.mod, operator.imod
TRUE_DIVISIONS = operator.truediv, operator.itruediv
ALL_INTEGERS = {int, np.int8, np.int16, np.uint8, np.uint16, np.uint32, np.uint64}
POWERS = operator.pow, operator.ipow
LONGEST = 0x10000  # exponents up to which Numba multiplies


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
    """A number of NumPy's, or a literal, as the interpreter keeps it."""
    if type(value) is int:
        return np.uint64(value) if HIGHEST < value < 1 << BITS else value
    if not isinstance(value, np.generic):
        return value
    kind, size = value.dtype.kind, value.dtype.itemsize
    if kind == "u":
        return value
    usual = (kind, size) in (("i", 4), ("i", 8), ("f", 8), ("c", 16))
    return value.item() if kind in "bUS" or usual else value


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
    if int in kinds and any(issubclass(kind, np.integer) for kind in kinds) and kinds <= ALL_INTEGERS:
        return type(items)(map(as_signed, items))
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
    return int(value) if isinstance(value, np.integer) else value


def as_signed(value):
    """An integer as the signed one of the same bits, 64 at most; any other value as it is."""
    return int(value.astype(np.int64)) if isinstance(value, np.integer) else value


def check_signs(index):
    """Refuse a negative index that is a huge one because it is unsigned, as that of a parallel loop is."""
    for axis, k in enumerate(index if isinstance(index, tuple) else (index,)):
        if isinstance(k, int) and k >> (BITS - 1) == 1:
            unsigned = "the index of a prange loop is unsigned (uint64) in its body"
            unsigned += ", and so is what is made of unsigned numbers alone"
            raise Raised(Outside(f"{unsigned}, so index {k - (1 << BITS)} of axis {axis} is {k} there"))


def arithmetic(fn, operands, lenient):
    """An operator on numbers; `lenient` as in a parallel loop, where a division by zero gives a value."""
    kinds = {type(x) for x in operands}
    if fn is operator.invert and kinds == {bool}:
        return not operands[0]
    if kinds != {float} and kinds != {bool} and all(issubclass(kind, INTEGERS) for kind in kinds):
        return _of_integers(fn, operands, lenient)
    if fn in POWERS and isinstance(operands[0], (float, np.floating)) and isinstance(operands[1], INTEGERS):
        return _power(operands[0], int(operands[1]))
    return scalar(_computed(fn, operands if kinds == {float} else _of_one_width(operands), lenient))


def _of_one_width(operands):
    """Numbers that are not all integers: a small float meets anything but a small integer as a double."""
    small = [isinstance(x, (np.floating, np.complexfloating)) for x in operands]
    fits = [s or (isinstance(x, np.integer) and x.itemsize < 4) for x, s in zip(operands, small, strict=True)]
    if any(small) and all(fits):
        kind = next(type(x) for x, s in zip(operands, small, strict=True) if s)
        return [x if s else kind(x) for x, s in zip(operands, small, strict=True)]
    return [x.item() if isinstance(x, np.number) else x for x in operands]


def _computed(fn, operands, lenient):
    try:
        return theirs(fn, *operands)
    except Raised as error:
        if not lenient or not isinstance(error.args[0], ZeroDivisionError):
            raise
        return _divided_by_zero(fn, operands[0])


def _of_integers(fn, operands, lenient):
    """An operator on integers: Numba computes with 64 bits, and signed unless all operands are unsigned."""
    if len(operands) == 1:
        return _of_one(fn, operands[0])
    unsigned = [isinstance(x, np.unsignedinteger) for x in operands]
    if fn in COMPARISONS:
        return fn(*_comparable(operands, unsigned))
    if fn in TRUE_DIVISIONS:
        return _computed(fn, [float(x) for x in operands], lenient)
    is_unsigned = unsigned[0] if fn in SHIFTS else all(unsigned)
    left, right = (int(wrapped(int(x), is_unsigned)) for x in operands)
    if fn in SHIFTS and not 0 <= right < BITS:
        raise NotUnderstood(f"a shift by {right} bits, to which LLVM gives no value,")
    if fn in POWERS:
        return _integer_power(left, right, is_unsigned, lenient)
    if fn in DIVISIONS and (left, right) == (LOWEST, -1):
        return 0  # as Numba has it: the quotient does not fit
    result = _computed(fn, [left, right], lenient)
    return wrapped(result, is_unsigned)


def _of_one(fn, value):
    """A unary operator: a small integer is negated, or inverted, in its own width."""
    if not isinstance(value, np.integer):
        return wrapped(fn(int(value)), False)
    is_unsigned = isinstance(value, np.unsignedinteger)
    if fn is operator.abs:
        return value if is_unsigned else cast(fn(int(value)), value.dtype)
    kept = cast(fn(as_signed(value)), value.dtype)
    return np.uint64(kept) if is_unsigned else int(kept)


def _comparable(operands, unsigned):
    """Integers as they are compared: 64 unsigned bits and a signed number have a double in common."""
    if any(unsigned) and not all(unsigned) and any(isinstance(x, np.uint64) for x in operands):
        return [float(x) for x in operands]
    return [int(x) for x in operands]


def _integer_power(base, exponent, unsigned, lenient):
    if exponent >= 0:
        if exponent > LONGEST:
            raise NotUnderstood(f"an integer to the power of {exponent}")
        return wrapped(pow(base, exponent, 1 << BITS), unsigned)
    if base == 0:
        if not lenient:
            raise Raised(ZeroDivisionError("0 cannot be raised to a negative power"))
        return LOWEST
    return base**-exponent if base in (1, -1) else 0


def _power(base, exponent):
    """A float to an integer power, multiplied in the order in which Numba does it."""
    if abs(exponent) > LONGEST:
        return scalar(theirs(operator.pow, base, exponent))
    result, factor, left = type(base)(1), base, abs(exponent)
    while left:
        if left & 1:
            result *= factor
        left >>= 1
        factor *= factor
    if exponent >= 0:
        return result
    return scalar(type(base)(1) / result) if result else _divided_by_zero(operator.truediv, type(base)(1))


def wrapped(value, unsigned):
    """The low 64 bits of an integer."""
    if LOWEST <= value <= HIGHEST and not unsigned:
        return value
    value &= (1 << BITS) - 1
    if unsigned:
        return np.uint64(value)
    return value - (1 << BITS) if value >> (BITS - 1) else value


def quotient_and_rest(a, b, lenient):
    """``divmod(a, b)``: 64 unsigned bits and a signed number have a double in common."""
    if all(isinstance(x, INTEGERS) for x in (a, b)):
        unsigned = [isinstance(x, np.unsignedinteger) for x in (a, b)]
        a, b = _comparable([a, b], unsigned) if any(unsigned) and not all(unsigned) else (a, b)
    return tuple(arithmetic(fn, [a, b], lenient) for fn in (operator.floordiv, operator.mod))


def unified(values):
    """Numbers as Numba chooses among them, with `max` for instance: of one type."""
    kinds = {type(value) for value in values}
    floats = any(issubclass(kind, (float, np.floating)) for kind in kinds)
    mixed = np.uint64 in kinds and any(
        issubclass(kind, INTEGERS) and not issubclass(kind, np.unsignedinteger) for kind in kinds
    )
    if not all(isinstance(value, (float, np.floating, *INTEGERS)) for value in values) or len(kinds) == 1:
        return values
    if floats or mixed:
        return [float(value) for value in values]
    signed = any(not issubclass(kind, np.unsignedinteger) for kind in kinds)
    return [int(value) if signed else np.uint64(value) for value in values]


def _divided_by_zero(fn, value):
    if fn not in TRUE_DIVISIONS and isinstance(value, int):
        return 0
    if fn in (operator.mod, operator.imod) or value == 0 or value != value:
        return math.nan
    return math.copysign(math.inf, value)
