# expect: unmet: one element at a time
import numpy as np
from numba import njit, prange


@njit
def count_above(values, threshold):
    flags = np.empty(values.size)
    for i in range(values.size):
        flags[i] = i * 0.5 + 1.0
    count = 0.0
    for i in range(values.size):
        if values[i] > threshold and flags[i] > 0.0:
            count += 1.0
    return int(count)
