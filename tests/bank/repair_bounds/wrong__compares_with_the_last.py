# expect: wrong: the result is
from numba import njit


@njit
def repair_bounds(values):
    for i in range(values.size):
        if not values[i] >= values[i - 1]:
            return i
    return values.size
