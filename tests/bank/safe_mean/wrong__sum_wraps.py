# expect: wrong: expected 9.22337e+18
from numba import njit


@njit
def safe_mean(values):
    total = 0
    for value in values:
        total += value
    return total / values.size
