# expect: unmet: it compiled `polynomial` once more
def cached_polynomial():
    return """
import numpy as np
from numba import njit


@njit(cache=True)
def value(x, coefficients):
    total = 0.0
    for c in coefficients[::-1]:
        total = total * x + c
    return total


@njit
def polynomial(x, coefficients):
    out = np.empty(x.size)
    for i in range(x.size):
        out[i] = value(x[i], coefficients)
    return out
"""
