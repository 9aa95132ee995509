"""Errors of the compiler: what is quoted of them, word for word, and where it was when they were raised."""

import inspect
import re

import numba
import numpy as np
import pytest
from numba import njit, objmode, prange, types
from numba.extending import overload

from numba_course.lens import errors
from numba_course.process import sandbox


@njit
def lacks(values):
    total = values[0]
    return np.nosuch(total)


@njit
def calls(values):
    return 1 + lacks(values)


@njit
def masked(values):
    table = np.ones((2, 2))
    return table[table > 0]


@pytest.mark.parametrize(
    ("function", "argument", "text", "said"),
    [
        (lacks, 1.0, "np.nosuch", "AttributeError: module 'numpy' has no attribute 'nosuch'"),
        (calls, 1.0, "np.nosuch", "AttributeError: module 'numpy' has no attribute 'nosuch'"),
        (masked, 1.0, "table[table > 0]", "AssertionError without a message"),
    ],
)
def test_line_where_the_compiler_was_is_known_though_the_message_names_none(function, argument, text, said):
    with pytest.raises(Exception) as caught:
        function(np.full(2, argument))
    assert errors.reason(caught.value) == said
    file, line = errors.places(caught.value)[0]
    assert file == __file__ and text in inspect.getsource(inspect.getmodule(lacks)).splitlines()[line - 1]
    assert errors.line_of(caught.value) is None


@pytest.mark.parametrize(
    ("kind", "message", "told"),
    [
        (
            "TypingError",
            "Failed in nopython mode pipeline (step: x)\nno such type",
            "TypingError: no such type",
        ),
        ("ValueError", "one\ntwo", "ValueError: one"),
        ("ValueError", "", "ValueError without a message"),
    ],
)
def test_kind_comes_first_once(kind, message, told):
    assert errors.reason_after_kind(sandbox.Error(kind, message)) == told


# ---- in its own words


def known_by_overloads(value):
    """What Numba knows by the overloads below only."""


@overload(known_by_overloads)
def own_code_fails(value):
    if isinstance(value, types.Integer):
        return lambda value: value.nope
    if isinstance(value, types.Float):
        raise numba.TypingError("no floats")


@overload(known_by_overloads)
def says_no(value):
    if isinstance(value, types.Float):
        raise numba.TypingError("no floats either")


says_no.__name__ = says_no.__qualname__ = "own_code_fails"  # two of one name
# Like that one it is not found in this module, and so neither is sent with what others send.
known_by_overloads.__module__ = "a_module_that_is_gone"


def overloaded(value):
    return known_by_overloads(value)


@njit(parallel=True)
def parallel_body(values, start):
    for i in prange(values.size):
        pair = (i, 1)
        if values[i] > 1:
            pair = (start, 1)
        values[pair[0]] = 1.0


@njit("int64(int64)")
def eager(value):
    return value


def adds(value):
    return value + "text"


def averages(values):
    return np.mean(values, axis=0)


def calls_with_a_literal(values):
    return np.array([1, "a"])


def stores_a_key(values):
    made = numba.typed.Dict.empty(types.int64, types.int64)
    made["x"] = values
    return made


def dot_of_integers(values):
    return np.dot(values, values)


def is_an_instance(value):
    return isinstance(value, Given)


class Given:
    pass


def unifies(flag):
    result = 1
    if flag:
        result = "text"
    return result


def asks_a_module(value):
    return np.random.default_rng(value)


def returns_a_set(value):
    return {value, "text"}


def calls_eager(value):
    return eager(value)


def has_no_result(value):
    with objmode():
        made = value
    return made


NOTHING = "No implementation of function Function({}) found for signature: >>> "
SAID = [
    (adds, (1,), NOTHING.format("<built-in function add>") + "add(int64, Literal[str](text))"),
    (
        averages,
        (np.ones(2),),
        NOTHING.format("<function mean at 0x…>")
        + "mean(array(float64, 1d, C), axis=Literal[int](0)) … TypingError: got an unexpected keyword argument 'axis'",
    ),
    (  # the reason for the call as it is written, not for the one with plain values in place of literals
        calls_with_a_literal,
        (1,),
        NOTHING.format("<built-in function array>")
        + "array(LiteralList((Literal[int](1), Literal[str](a)))) … "
        'TypingError: The argument "object" must be array-like',
    ),
    (  # the innermost reason
        stores_a_key,
        (1,),
        NOTHING.format("<built-in function setitem>")
        + "setitem(DictType[int64,int64]<iv=None>, Literal[str](x), int64) … "
        "TypingError: cannot safely cast unicode_type to int64. Please cast explicitly.",
    ),
    (
        overloaded,
        (1,),
        NOTHING.format("<function known_by_overloads at 0x…>")
        + "known_by_overloads(int64) … Unknown attribute 'nope' of type int64",
    ),
    (  # who says it, where several have a reason
        overloaded,
        (1.5,),
        NOTHING.format("<function known_by_overloads at 0x…>")
        + "known_by_overloads(float64) … Overload in function 'own_code_fails': … TypingError: no floats … "
        "Overload in function 'own_code_fails': … TypingError: no floats either",
    ),
    (
        overloaded,
        (1j,),
        NOTHING.format("<function known_by_overloads at 0x…>") + "known_by_overloads(complex128)",
    ),
    (
        parallel_body,
        (np.ones(2), 1),
        NOTHING.format("<built-in function setitem>") + "setitem(array(float64, 1d, C), float64, float64) … "
        "NumbaTypeError: Unsupported array index type float64 in [float64]",
    ),
    (is_an_instance, (1,), "Untyped global name 'Given': Cannot determine Numba type of <class 'type'>"),
    (unifies, (True,), "Cannot unify Literal[int](1) and Literal[str](text) for 'result'"),
    (
        asks_a_module,
        (1,),
        "Unknown attribute 'default_rng' of type Module(<module 'numpy.random' from '…'>)",
    ),
    (
        returns_a_set,
        (1,),
        f"Type of variable '$…' cannot be determined, operation: cast(value=$…), location: … "
        f"({returns_a_set.__code__.co_firstlineno + 1})",
    ),
    (
        calls_eager,
        ("text",),
        "Invalid use of type(CPUDispatcher(<function eager at 0x…>)) with parameters (unicode_type)",
    ),
    (has_no_result, (1,), "Missing type annotation on outgoing variable(s): ['made']"),
    (overloaded, ({},), "argument 0: Cannot determine Numba type of <class 'dict'>"),
]


@pytest.mark.parametrize(("function", "arguments", "said"), SAID)
def test_what_matters_is_said_in_numbas_own_words(function, arguments, said):
    with pytest.raises(numba.core.errors.NumbaError) as caught:
        (function if hasattr(function, "py_func") else njit(function))(*arguments)
    assert errors.reason(caught.value) == said
    assert errors.reason(sandbox.describe(caught.value)) == said
    message = re.sub(r"\x1b\[[0-9;]*m", "", str(caught.value))
    lines = " ".join(message.split())
    for quoted in said.split(
        " … "
    ):  # each part is in the message as it stands, but for what the marks stand for
        words = re.escape(re.sub(r"\s+", " ", quoted)).replace("…", ".*?")
        assert re.search(re.sub(r"'result'", r"'result[.\\d]*'", words), lines), quoted


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("'x - y' is -", "'x - y' is -"),
        ("no file '/srv/somebody/data.npy'", "no file '/srv/somebody/data.npy'"),  # the user's own
        ("instance.jitclass.Bag#7f12ab34<n:int64>", "instance.jitclass.Bag#…<n:int64>"),
        ("wrong, defined at C:\\My files\\a.py (3)", "wrong"),
        ("wrong at None (3)", "wrong"),
    ],
)
def test_only_what_differs_from_run_to_run_is_left_out(message, said):
    assert errors.reason(sandbox.Error("TypingError", message)) == said
