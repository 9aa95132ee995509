# expect: unmet: one element at a time
import numpy as np
from numba import njit, prange


@njit
def count_above(values, threshold):
    count = 0.0
    for value in values:
        if value > threshold:
            count += 1.0
    return int(count)
