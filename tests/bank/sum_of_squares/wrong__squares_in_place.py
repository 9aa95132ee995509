# expect: wrong: it changed its argument `values`
from numba import njit


@njit
def sum_of_squares(values):
    total = 0.0
    for i in range(values.size):
        values[i] *= values[i]
        total += values[i]
    return total
