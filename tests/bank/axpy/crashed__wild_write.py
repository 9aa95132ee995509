# expect: crashed: memory that is not its own
import numpy as np
from numba import float64, guvectorize, int64, njit, prange, types, vectorize


@njit("void(float64, float64[::1], float64[::1])")
def axpy(alpha, x, y):
    for i in range(y.size + 1):
        y[i + 10**13] += alpha
