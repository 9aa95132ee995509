# expect: not compiled: Numba cannot compile it
from numba import njit


@njit
def first_above(values, threshold):
    for i in range(values.size):
        if values[i] > threshold:
            return i
    return "none"
