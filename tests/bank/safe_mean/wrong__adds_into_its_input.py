# expect: wrong: it changed its argument `values`
from numba import njit


@njit
def safe_mean(values):
    total = 0.0
    for i in range(values.size):
        total += values[i]
        values[i] = 0
    return total / values.size
