# expect: unmet: step in its closure is another object there
def cached_polynomial():
    return """
import numpy as np
from numba import njit


@njit
def horner(total, x, c):
    return total * x + c


def make(step):
    @njit(cache=True)
    def polynomial(x, coefficients):
        out = np.zeros(x.size)
        for i in range(x.size):
            for c in coefficients[::-1]:
                out[i] = step(out[i], x[i], c)
        return out

    return polynomial


polynomial = make(horner)
"""
