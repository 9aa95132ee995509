# expect: wrong: the result is
from numba import njit


@njit
def repair_bounds(values):
    return values.size
