# expect: correct
import numpy as np
from numba import njit, prange


@njit
def count_above(values, threshold):
    count = 0
    for i in range(values.size):
        count += values[i] > threshold
    return count
