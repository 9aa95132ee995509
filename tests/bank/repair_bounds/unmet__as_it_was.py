# expect: unmet: while values[count] >= values[count - 1] and count < values.size:
from numba import njit


@njit
def repair_bounds(values):
    count = 1
    while values[count] >= values[count - 1] and count < values.size:
        count += 1
    return count
