# expect: correct
from numba import njit


@njit
def repair_bounds(values):
    count = 1
    for before, now in zip(values[:-1], values[1:]):
        if not before <= now:
            break
        count += 1
    return count
