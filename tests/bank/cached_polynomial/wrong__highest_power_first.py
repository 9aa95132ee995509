# expect: wrong: right result
def cached_polynomial():
    return """
import numpy as np
from numba import njit

@njit(cache=True)
def polynomial(x, coefficients):
    out = np.zeros(x.size)
    for i in range(x.size):
        for c in coefficients:
            out[i] = out[i] * x[i] + c
    return out
"""
