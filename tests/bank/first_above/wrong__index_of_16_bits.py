# expect: wrong: the result is -5536, expected 60000
import numpy as np
from numba import njit


@njit
def first_above(values, threshold):
    for i in range(values.size):
        if values[i] > threshold:
            return np.int64(np.int16(i))
    return -1
