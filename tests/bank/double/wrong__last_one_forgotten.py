# expect: wrong: expected
import numpy as np
from numba import njit


@njit
def double(values):
    out = np.zeros_like(values)
    for i in range(values.size - 1):
        out[i] = 2 * values[i]
    return out
