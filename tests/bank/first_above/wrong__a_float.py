# expect: wrong: it returned float where int64 is asked
from numba import njit


@njit
def first_above(values, threshold):
    for i in range(values.size):
        if values[i] > threshold:
            return i
    return -1.0
