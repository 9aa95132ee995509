# expect: wrong: the result is 0, expected -1
import numpy as np
from numba import njit


@njit
def first_above(values, threshold):
    if values.size == 0:
        return -1
    return np.argmax(values > threshold)
