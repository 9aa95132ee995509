# expect: correct
from numba import njit


@njit
def rises(values):
    for i in range(len(values) - 1):
        yield values[i + 1] >= values[i]


@njit
def repair_bounds(values):
    count = 1
    for rise in rises(values):
        if not rise:
            return count
        count += 1
    return count
