# expect: correct
from numba import njit


@njit
def search(values, threshold, i):
    if i == values.size:
        return -1
    if values[i] > threshold:
        return i
    return search(values, threshold, i + 1)


@njit
def first_above(values, threshold):
    return search(values, threshold, 0)
