# expect: unmet: a block under
import numba
import numpy as np
from numba import njit


@njit
def with_numpy(values):
    with numba.objmode(doubled="float64[:]"):
        doubled = np.asarray(values) * 2
    return doubled


@njit
def double(values):
    return with_numpy(values)
