# expect: wrong: it changed its argument `values`
from numba import njit


@njit
def repair_bounds(values):
    count = 1
    while count < values.size and values[count] >= values[count - 1]:
        values[count - 1] = 0.0
        count += 1
    return count
