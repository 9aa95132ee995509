# expect: wrong: it returned None
from numba import njit


@njit
def first_above(values, threshold):
    for i in range(values.size):
        if values[i] > threshold:
            return i
