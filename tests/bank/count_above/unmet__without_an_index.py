# expect: unmet: packed only for elements that lie 1 byte apart
from numba import njit


@njit
def count_above(values, threshold):
    count = 0
    for value in values:
        if value > threshold:
            count += 1
    return count
