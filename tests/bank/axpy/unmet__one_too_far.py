# expect: unmet: it reaches outside an array
import numpy as np
from numba import float64, guvectorize, int64, njit, prange, types, vectorize


@njit("void(float64, float64[::1], float64[::1])")
def axpy(alpha, x, y):
    last = 0.0
    for i in range(y.size):
        y[i] += alpha * x[i]
        last = x[i + 1]
    if last == 12345.678:
        y[0] = last
