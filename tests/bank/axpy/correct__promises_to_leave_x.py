# expect: correct
import numpy as np
from numba import float64, guvectorize, int64, njit, prange, types, vectorize


vector = types.Array(float64, 1, "C")
constant = types.Array(float64, 1, "C", readonly=True)


@njit((float64, constant, vector))
def axpy(alpha, x, y):
    for i in range(len(x)):
        y[i] = y[i] + alpha * x[i]
    return y
