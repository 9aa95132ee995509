# expect: not compiled: plain Python function
import numpy as np
from numba import float64, guvectorize, int64, njit, prange, types, vectorize


def axpy(alpha, x, y):
    y += alpha * x
