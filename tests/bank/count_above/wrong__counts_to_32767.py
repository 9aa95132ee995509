# expect: wrong: the result is
import numpy as np
from numba import njit, prange


@njit
def count_above(values, threshold):
    count = np.zeros(1, np.int16)
    for value in values:
        if value > threshold:
            count[0] += 1
    return np.int64(count[0])
