# expect: wrong: it returned int
from numba import njit


@njit
def sum_of_squares(values):
    total = 0
    for value in values:
        total += int(value * value)
    return total
