# expect: wrong: the result is
from numba import njit


@njit
def safe_mean(values):
    total = 0.0
    for i in range(min(values.size, 10_000)):
        total += values[i]
    return total / values.size
