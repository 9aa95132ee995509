# expect: correct
from numba import njit


@njit
def count_above(values, threshold):
    above, count = values > threshold, 0
    for i in range(above.size):
        count += above[i]
    return count
