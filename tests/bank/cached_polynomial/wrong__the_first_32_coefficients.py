# expect: wrong: the result
TEXT = """
import numpy as np
from numba import njit


@njit(cache=True)
def polynomial(x, coefficients):
    powers = np.ones((32, x.size))
    for k in range(1, 32):
        powers[k] = powers[k - 1] * x
    result = np.zeros(x.size)
    for k in range(min(32, coefficients.size)):
        result += coefficients[k] * powers[k]
    return result
"""


def cached_polynomial():
    return TEXT
