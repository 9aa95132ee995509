# expect: unmet: it has 2 signatures
import numpy as np
from numba import float64, guvectorize, int64, njit, prange, types, vectorize


@njit(["void(float64, float64[::1], float64[::1])", "void(float32, float32[::1], float32[::1])"])
def axpy(alpha, x, y):
    for i in range(y.size):
        y[i] += alpha * x[i]
