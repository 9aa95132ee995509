# expect: correct
import numpy as np
from numba import float64, guvectorize, int64, njit, prange, types, vectorize


@njit(["void(float64, float64[::1], float64[::1])"])
def axpy(alpha, x, y):
    y += alpha * x
