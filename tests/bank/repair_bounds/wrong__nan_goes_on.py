# expect: wrong: nan
from numba import njit


@njit
def repair_bounds(values):
    for i in range(1, values.size):
        if values[i] < values[i - 1]:
            return i
    return values.size
