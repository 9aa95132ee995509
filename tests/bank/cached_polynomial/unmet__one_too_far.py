# expect: unmet: in bounds
def cached_polynomial():
    return """
import numpy as np
from numba import njit


@njit(cache=True)
def polynomial(x, coefficients):
    out = np.zeros(x.size)
    for i in range(x.size):
        k = coefficients.size
        while k >= 0:
            c = coefficients[k]
            if k < coefficients.size:
                out[i] = out[i] * x[i] + c
            k -= 1
    return out
"""
