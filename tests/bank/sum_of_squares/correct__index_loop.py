# expect: correct
from numba import njit


@njit
def sum_of_squares(values):
    total = 0
    for i in range(len(values)):
        total += values[i] ** 2
    return total
