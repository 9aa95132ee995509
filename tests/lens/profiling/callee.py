"""A function that another file calls."""

import math

from numba import njit


@njit
def slow(n):
    total = 0.0
    for i in range(n):
        total += math.exp(-i)  # slow
    return total
