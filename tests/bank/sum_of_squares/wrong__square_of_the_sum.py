# expect: wrong: expected
from numba import njit


@njit
def sum_of_squares(values):
    return values.sum() ** 2
