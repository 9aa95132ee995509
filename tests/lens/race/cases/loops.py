"""Loops over `prange`: with an unsigned index, that write the same value twice, or that draw random numbers."""

import numpy as np
from numba import prange

from tests.lens.race.cases.reported import race, unchecked, valid

UP = np.arange(8.0)


@unchecked(
    UP, says=("reaches outside an array: the index of a prange loop is unsigned", "index -1 of axis 0")
)
def numba_8652_negated_index(a):
    out = np.zeros(len(a))
    for i in prange(len(a)):
        out[i] = a[-i]
    return out


@valid(UP)
def index_that_stays_signed(a):
    out = np.zeros(len(a))
    for i in prange(1, len(a)):
        out[i] = a[-i]
    for i in prange(len(a)):
        out[i] += a[0 - i] + a[i - 1] + a[: -i - 1].sum()
    return out


@race(np.array([1, 2, 1, 3]), says="the same value for this input, so none is lost, but it is a race")
def same_value_twice(data):
    seen = np.zeros(4)
    for i in prange(len(data)):
        seen[data[i]] = 1
    return seen


@valid(8)
def numba_4452_seed_of_one_thread(n):
    np.random.seed(3)
    out = np.zeros(n)
    for i in prange(n):
        out[i] = np.random.random()
    return out


@unchecked(UP, says=("Numba does not compile it", "Unsupported array index type float64"))
def index_that_is_a_float_in_the_body(a):
    for i in prange(len(a)):
        a[min(i, 3)] = 1


@unchecked(UP.reshape(4, 2), says="Numba does not compile it")
def statement_that_numba_refuses_in_the_body(m):
    m -= m[0]
