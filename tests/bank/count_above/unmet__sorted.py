# expect: unmet: one element at a time
import numpy as np
from numba import njit, prange


@njit
def count_above(values, threshold):
    ordered = np.sort(values[values == values])
    low, high = 0, ordered.size
    while low < high:
        middle = (low + high) // 2
        if ordered[middle] > threshold:
            high = middle
        else:
            low = middle + 1
    return ordered.size - low if threshold == threshold else 0
