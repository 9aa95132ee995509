# expect: correct
from numba import njit


@njit
def first_above(values, threshold):
    i = 0
    while i < len(values):
        if threshold < values[i]:
            return i
        i += 1
    return -1
