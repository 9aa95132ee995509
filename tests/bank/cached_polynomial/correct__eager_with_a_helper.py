# expect: correct
def cached_polynomial():
    return """
import numpy as np
from numba import njit


@njit
def value(x, coefficients):
    total, power = 0.0, 1.0
    for c in coefficients:
        total += c * power
        power *= x
    return total


@njit("float64[::1](float64[::1], float64[::1])", cache=True)
def polynomial(x, coefficients):
    out = np.empty(x.size)
    for i in range(x.size):
        out[i] = value(x[i], coefficients)
    return out
"""
