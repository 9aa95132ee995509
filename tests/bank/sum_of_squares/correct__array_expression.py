# expect: correct
from numba import njit


@njit
def sum_of_squares(values):
    return (values * values).sum()
