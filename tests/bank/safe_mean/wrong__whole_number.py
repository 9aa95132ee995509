# expect: wrong: type of the result
from numba import njit


@njit
def safe_mean(values):
    total = 0.0
    for value in values:
        total += value
    return int(total / values.size)
