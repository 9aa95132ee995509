# expect: wrong: the result
import numpy as np
from numba import njit


@njit
def double(values):
    out = np.empty_like(values)
    if values.strides[0] == values.itemsize:
        for i in range(values.size):
            out[i] = 2 * values[i]
    return out
