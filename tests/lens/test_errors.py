"""Errors that are not Numba's own: where the compiler was when they were raised, and how they are told."""

import inspect

import numpy as np
import pytest
from numba import njit

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
