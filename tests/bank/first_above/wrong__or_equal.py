# expect: wrong: the result is 0, expected -1
from numba import njit


@njit
def first_above(values, threshold):
    for i in range(values.size):
        if values[i] >= threshold:
            return i
    return -1
