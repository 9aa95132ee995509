# expect: correct
from numba import njit


@njit
def repair_bounds(values):
    return climb(values, 1)


@njit
def climb(values, count):
    if count == len(values):
        return count
    if values[count] >= values[count - 1]:
        return climb(values, count + 1)
    return count
