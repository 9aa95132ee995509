"""compilations: one for each combination of types, none for a call that finds its machine code."""

import pytest
from numba import njit

from numba_course.lens import compilations


def test_each_combination_of_types_is_one_and_a_callee_counts():
    inner = njit(lambda x: x + 1)
    outer = njit(lambda x: inner(x) * 2)
    assert [compilations.count(inner, x) for x in (1, 2, 1.0)] == [1, 0, 1]
    assert [compilations.count(outer, x) for x in (1, 1, 2j)] == [1, 0, 2]


def test_what_the_function_raises_comes_through():
    with pytest.raises(ZeroDivisionError):
        compilations.count(lambda: 1 // 0)
