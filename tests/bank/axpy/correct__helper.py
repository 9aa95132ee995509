# expect: correct
import numpy as np
from numba import float64, guvectorize, int64, njit, prange, types, vectorize


@njit
def add(alpha, a, b):
    return alpha * a + b


@njit("f8[::1](f8, f8[::1], f8[::1])")
def axpy(factor, a, b):
    i = b.size - 1
    while i >= 0:
        b[i] = add(factor, a[i], b[i])
        i -= 1
    return b
