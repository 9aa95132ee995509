# expect: wrong: nan
import math

from numba import njit


@njit
def sum_of_squares(values):
    total = 0.0
    for value in values:
        if not math.isnan(value):
            total += value * value
    return total
