"""Numbers of the race detector's interpreter, against compiled code: all operators, and integers of all types."""

import operator
import os
from itertools import product

import numba
import numpy as np
import pytest
from numba import njit

from numba_course.lens.compiled.dispatchers import hardly_optimised
from numba_course.lens.race._values import NotUnderstood, arithmetic, quotient_and_rest, scalar, unified

WEEKLY = bool(os.environ.get("NUMBA_COURSE_WEEKLY"))
SIZES = (8, 16, 32, 64) if WEEKLY else (8, 64)
TYPES = [np.dtype(f"{sign}{size}").type for sign in ("int", "uint") for size in SIZES]
LITERALS = -7, 3, 11400714819323198485  # the last one is unsigned, as it is above all signed ones
OPERATORS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "<<": operator.lshift,
    ">>": operator.rshift,
    "&": operator.and_,
    "^": operator.xor,
    "<": operator.lt,
    "==": operator.eq,
}


def some(kind):
    """Numbers of a type, those at its ends among them."""
    info = np.iinfo(kind)
    return [kind(value) for value in (1, 5, info.max, info.min, info.max // 2 + 1, 0, -3 if info.min else 6)]


def same(found, right):
    """Whether they are the same number, of the same kind."""
    found, right = (x.item() if isinstance(x, np.generic) else x for x in (found, right))
    return type(found) is type(right) and (found == right or (found != found and right != right))


def compiled(parameters, expressions):
    """A function of integers that gives the values of all these expressions."""
    namespace = {}
    exec(f"def many({', '.join(parameters)}):\n    return ({', '.join(expressions)},)", namespace)
    fn = njit(error_model="numpy")(namespace["many"])
    with hardly_optimised():
        fn.compile(
            tuple(numba.typeof(kind(0)) for _ in range(len(parameters) // len(TYPES)) for kind in TYPES)
        )
    return fn


def defined(sign, right):
    """Whether compiled code gives a value to this right operand, and in good time."""
    if sign in ("<<", ">>"):
        return 0 <= int(right) < 64
    return sign != "**" or abs(int(right)) < 1000


@pytest.mark.parametrize("sign", OPERATORS)
def test_an_operator_on_integers_of_any_two_types(sign):
    count = range(len(TYPES))
    names = [f"a{n}" for n in count], [f"b{n}" for n in count]
    literals = [literal for literal in LITERALS if defined(sign, literal)]
    texts = [f"{a} {sign} {b}" for a, b in product(*names)]
    texts += [f"{a} {sign} {literal}" for a, literal in product(names[0], literals)]
    many = compiled([*names[0], *names[1]], texts)
    values = [some(kind) for kind in TYPES]
    for lefts, rights in product(zip(*values, strict=True), repeat=2):
        rights = [b if defined(sign, b) else type(b)(7) for b in rights]
        pairs = [*product(lefts, rights), *product(lefts, literals)]
        for (a, b), right in zip(pairs, many(*lefts, *rights), strict=True):
            found = arithmetic(OPERATORS[sign], [scalar(a), scalar(b)], True)
            assert same(found, right), f"{a!r} {sign} {b!r}: {found!r}, compiled {right!r}"


def test_a_function_of_integers_of_any_two_types():
    """`divmod`, `max`, and the unary operators."""
    texts = [f"divmod(a{n}, b{m})" for n, m in product(range(len(TYPES)), repeat=2)]
    texts += [f"max(a{n}, b{m})" for n, m in product(range(len(TYPES)), repeat=2)]
    texts += [f"{sign}a{n}" for sign in ("-", "~") for n in range(len(TYPES))]
    many = compiled([f"{name}{n}" for name in "ab" for n in range(len(TYPES))], texts)
    for lefts, rights in product(zip(*map(some, TYPES), strict=True), repeat=2):
        results = iter(many(*lefts, *rights))
        a, b = [scalar(x) for x in lefts], [scalar(x) for x in rights]
        for x, y in product(a, b):
            assert all(map(same, quotient_and_rest(x, y, True), next(results))), (x, y)
        for x, y in product(a, b):
            assert same(max(unified([x, y])), next(results)), (x, y)
        for fn, x in product((operator.neg, operator.invert), a):
            assert same(arithmetic(fn, [x], True), next(results)), (fn, x)


@pytest.mark.parametrize("base", [np.float32(0.3), 0.3])
def test_a_float_to_an_integer_power(base):
    fn = njit(lambda x, k: x**k)
    for exponent in (0, 2, 7, -3):
        assert same(
            arithmetic(operator.pow, [scalar(base), exponent], False),
            scalar(np.asarray(fn(base, exponent))[()]),
        )


@pytest.mark.parametrize("amount", [64, -1, np.uint64(64)])
def test_a_shift_that_llvm_gives_no_value_to_is_refused(amount):
    with pytest.raises(NotUnderstood, match="LLVM gives no value"):
        arithmetic(operator.lshift, [np.uint64(1), amount], True)
