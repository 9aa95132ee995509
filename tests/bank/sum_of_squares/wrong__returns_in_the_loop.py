# expect: wrong: expected
from numba import njit


@njit
def sum_of_squares(values):
    total = 0.0
    for value in values:
        total += value * value
        return total
    return total
