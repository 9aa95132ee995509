# expect: wrong: the result is
from numba import njit


@njit
def sum_of_squares(values):
    total = 0.0
    for i in range(min(values.size, 2**16)):
        total += values[i] ** 2
    return total
