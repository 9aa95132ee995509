# expect: wrong: expected
from numba import njit


@njit
def first_above(values, threshold):
    for i in range(values.size):
        if not values[i] <= threshold:
            return i
    return -1
