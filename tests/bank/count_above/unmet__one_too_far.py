# expect: unmet: it reaches outside an array
import numpy as np
from numba import njit, prange


@njit
def count_above(values, threshold):
    count = 0
    for i in range(values.size + 1):
        if i < values.size and values[i] > threshold:
            count += 1
        elif i == values.size and values[i] == 12345.678:
            count += 0
    return count
