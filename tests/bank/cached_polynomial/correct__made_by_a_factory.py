# expect: correct
def cached_polynomial():
    return """
import numpy as np
from numba import njit


def make(start):
    @njit(cache=True)
    def polynomial(x, coefficients):
        out = np.full(x.size, start)
        for k in range(coefficients.size - 1, -1, -1):
            for i in range(x.size):
                out[i] = out[i] * x[i] + coefficients[k]
        return out

    return polynomial


polynomial = make(0.0)
"""
