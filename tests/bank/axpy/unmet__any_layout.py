# expect: unmet: `x` is declared as array(float64, 1d, A)
import numpy as np
from numba import float64, guvectorize, int64, njit, prange, types, vectorize


@njit("void(float64, float64[:], float64[:])")
def axpy(alpha, x, y):
    for i in range(y.size):
        y[i] += alpha * x[i]
