# expect: correct
from numba import njit


@njit
def first_above(values, threshold):
    found = -1
    for i, value in enumerate(values):
        if value > threshold:
            found = i
            break
    return found
