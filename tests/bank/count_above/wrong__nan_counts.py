# expect: wrong: the result is
import numpy as np
from numba import njit, prange


@njit
def count_above(values, threshold):
    count = 0
    for value in values:
        if not value <= threshold:
            count += 1
    return count
