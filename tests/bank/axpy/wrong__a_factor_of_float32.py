# expect: wrong: y is
import numpy as np
from numba import float64, guvectorize, int64, njit, prange, types, vectorize


@njit("void(float64, float64[::1], float64[::1])")
def axpy(alpha, x, y):
    factor = np.float32(alpha)
    for i in range(y.size):
        y[i] += factor * x[i]
