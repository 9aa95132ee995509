# expect: unmet: a ufunc converts
import numpy as np
from numba import float64, guvectorize, int64, njit, prange, types, vectorize


@guvectorize(["void(float64, float64[::1], float64[::1])"], "(),(n),(n)", writable_args=(2,))
def axpy(alpha, x, y):
    for i in range(y.size):
        y[i] += alpha * x[i]
