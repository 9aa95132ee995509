# expect: crashed: it touched memory that is not its own
from numba import njit


@njit
def repair_bounds(values):
    count = 1
    while values[count] >= values[count - 1] or values[count] < values[count - 1]:
        count += 100_000_000
    return count
