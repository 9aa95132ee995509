# expect: unmet: dynamic globals
def cached_polynomial():
    return """
import numpy as np
from numba import njit

ZEROS = np.zeros(200_000)


@njit(cache=True)
def polynomial(x, coefficients):
    out = ZEROS[: x.size].copy()
    for i in range(x.size):
        for c in coefficients[::-1]:
            out[i] = out[i] * x[i] + c
    return out
"""
