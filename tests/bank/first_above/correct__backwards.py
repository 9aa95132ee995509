# expect: correct
from numba import njit


@njit
def is_above(value, threshold):
    return value > threshold


@njit
def first_above(values, threshold):
    found = -1
    for i in range(values.size - 1, -1, -1):
        if is_above(values[i], threshold):
            found = i
    return found
