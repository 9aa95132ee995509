# expect: unmet: no signature
import numpy as np
from numba import float64, guvectorize, int64, njit, prange, types, vectorize


@njit
def axpy(alpha, x, y):
    for i in range(y.size):
        y[i] += alpha * x[i]
