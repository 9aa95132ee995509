# expect: unmet: it reaches outside an array
from numba import njit


@njit
def first_above(values, threshold):
    for i in range(values.size + 1):
        if values[i] > threshold and i < values.size:
            return i
    return -1
