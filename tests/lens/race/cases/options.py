"""How a function was made decides what of it is parallel: options as a dictionary, overloads, what Numba inlines."""

import numpy as np
from numba import njit, prange

from tests.lens.race.cases.reported import race, valid

UP = np.arange(9.0)


def moved(a):
    for i in prange(1, a.size):
        a[i] = a[i - 1]


race(UP, says="iteration 2 reads a[1], which iteration 1 writes")(njit(parallel={"fusion": False})(moved))
moved_too = njit(parallel={"fusion": False})(moved)


@race(UP, says="iteration 2 reads a[1], which iteration 1 writes")
def calls_one_with_a_dictionary(a):
    moved_too(a)


@valid(UP[:-1], UP[1:], np.zeros(8))
@njit(parallel={"fusion": False})
def loops_that_are_not_to_be_merged(a, b, out):
    for i in prange(len(a)):
        a[i] = i
    for i in prange(len(a)):
        out[i] = b[i]
