# expect: wrong: polynomials.py defines no function `polynomial`
def cached_polynomial():
    return """
import numpy as np
from numba import njit

@njit(cache=True)
def evaluate(x, coefficients):
    out = np.zeros(x.size)
    for i in range(x.size):
        for c in coefficients[::-1]:
            out[i] = out[i] * x[i] + c
    return out
"""
