"""Arrays with gaps hold the same values, and nothing between them that an answer could use."""

import numpy as np
import pytest

from numba_course.exercises.arrays import layouts, spread


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("shape", [(0,), (1,), (5,), (2, 3)])
def test_spread_values_are_the_same_with_gaps_between(dtype, shape):
    values = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    apart = spread(values)
    np.testing.assert_array_equal(apart, values)
    assert apart.dtype == values.dtype
    assert values.size < 2 or not apart.flags.c_contiguous


def test_what_lies_between_is_no_fair_value():
    assert np.isnan(spread(np.ones(3)).base[1::2]).all()
    assert (spread(np.ones(3, np.int64)).base[1::2] == 2**63 - 1).all()


def test_the_second_layout_has_other_values():
    plain, apart = layouts(np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(apart, plain[::-1, ::-1])
