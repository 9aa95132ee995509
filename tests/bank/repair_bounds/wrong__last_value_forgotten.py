# expect: wrong: expected 2
from numba import njit


@njit
def repair_bounds(values):
    count = 1
    while count < values.size - 1 and values[count] >= values[count - 1]:
        count += 1
    return count
