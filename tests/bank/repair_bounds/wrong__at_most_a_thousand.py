# expect: wrong: the result is 1000, expected 60000
from numba import njit


@njit
def repair_bounds(values):
    for i in range(1, min(values.size, 1000)):
        if not values[i] >= values[i - 1]:
            return i
    return min(values.size, 1000)
