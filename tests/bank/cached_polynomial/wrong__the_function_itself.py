# expect: wrong: must be a string, not CPUDispatcher
import numpy as np
from numba import njit

@njit(cache=True)
def polynomial(x, coefficients):
    out = np.zeros(x.size)
    for i in range(x.size):
        for c in coefficients[::-1]:
            out[i] = out[i] * x[i] + c
    return out


def cached_polynomial():
    return polynomial
