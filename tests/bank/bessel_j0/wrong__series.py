# expect: wrong: the result
import numpy as np
from numba import njit


@njit
def bessel_j0(values):
    out = np.ones_like(values)
    for i in range(values.size):
        term = 1.0
        for k in range(1, 60):
            term *= -values[i] * values[i] / (4 * k * k)
            out[i] += term
    return out
