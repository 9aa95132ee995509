# expect: unmet: it compiled `polynomial` once more
def cached_polynomial():
    return """
import numpy as np
from numba import njit

@njit()
def polynomial(x, coefficients):
    out = np.zeros(x.size)
    for i in range(x.size):
        for c in coefficients[::-1]:
            out[i] = out[i] * x[i] + c
    return out
"""
