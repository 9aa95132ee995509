# expect: wrong: it changed its argument
import numpy as np
from numba import njit, prange


@njit
def count_above(values, threshold):
    values.sort()
    count = 0
    for value in values:
        if value > threshold:
            count += 1
    return count
