"""Ufuncs are looked into like functions: the kernel of a call, and every index, in what is called as well."""

import numpy as np
import pytest
from numba import guvectorize, njit, types, vectorize
from numpy.lib.stride_tricks import as_strided

from numba_course.exercises.requirements.ufuncs import Checked
from numba_course.lens.compiled.callables import inside

VALUES, TABLE = np.arange(5.0), np.arange(4.0)


@njit
def looked_up(i):
    return TABLE[i]


@vectorize
def of_a_table(x):
    return looked_up(int(x))


@guvectorize(["void(float64[:], float64[:])"], "(n)->()")
def one_too_far(values, out):
    out[0] = 0.0
    for i in range(values.size + 1):
        out[0] += values[i]


@guvectorize("(n),()->(n)")
def lazy(values, divisor, out):
    for i in range(values.size):
        out[i] = values[i] / divisor


by_rows = guvectorize("(n),()->(n)")(lazy.__wrapped__)


@njit
def calls_a_ufunc(values):
    return of_a_table(values)


@njit
def calls_a_gufunc(values):
    out = np.zeros(1)
    one_too_far(values, out)
    return out


@njit
def too_large_a_view(values):
    return as_strided(values, (values.size, 2), (8, 8)).sum()


@njit
def through_the_module(values):
    return np.lib.stride_tricks.as_strided(values, shape=(values.size + 1,), strides=(8,)).sum()


@pytest.mark.parametrize(
    "function", [of_a_table, one_too_far, calls_a_ufunc, calls_a_gufunc, too_large_a_view, through_the_module]
)
def test_an_index_outside_is_an_error(function):
    with pytest.raises(IndexError):
        Checked(function)(VALUES)


@njit
def windows(values):
    return (
        as_strided(values, (values.size - 1, 2), (8, 8)).sum()
        + as_strided(values[::-1], (2, 3), (0, -8)).sum()
    )


@njit
def divides(values):
    out = np.empty_like(values)
    lazy(values, 0.0, out)
    return out


@pytest.mark.parametrize("function", [windows, divides])
def test_what_stays_inside_gives_its_result(function):
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(Checked(function)(VALUES), function(VALUES))


def test_a_lost_error_is_of_one_call():
    checked = Checked(calls_a_ufunc)
    with pytest.raises(IndexError, match="in a ufunc that it calls"):
        checked(VALUES)
    np.testing.assert_array_equal(checked(VALUES[:4]), TABLE)


def test_the_kernel_is_that_of_the_call():
    image, out = np.ones((3, 4), np.float32), np.zeros((3, 4), np.float32)
    by_rows(image, 2.0, out)
    kernel, args = inside(by_rows, (image, 2.0, out))
    vector = types.Array(types.float32, 1, "A")
    assert kernel.signatures == [(vector, types.float64, vector)]
    assert [np.shape(value) for value in args] == [(4,), (), (4,)]
    kernel(*args)
    np.testing.assert_array_equal(args[2], [0.5] * 4)


def test_an_output_that_is_not_given_is_made():
    _, (values, out) = inside(one_too_far, (VALUES,))
    assert (values.shape, out.shape) == ((5,), (1,))


def test_of_a_call_without_a_loop_nothing_is_found_out():
    with pytest.raises(LookupError, match="could not be found out"):
        inside(one_too_far, (np.ones(3, np.complex128),))
