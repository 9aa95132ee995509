# expect: wrong: it changed its argument `x`
import numpy as np
from numba import float64, guvectorize, int64, njit, prange, types, vectorize


@njit("void(float64, float64[::1], float64[::1])")
def axpy(alpha, x, y):
    x *= alpha
    y += x
