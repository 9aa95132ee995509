# expect: unmet: it reaches outside an array
import numpy as np
from numba import njit


@njit
def double(values):
    out = np.empty(values.size + 1)
    for i in range(values.size + 1):
        out[i] = 2 * values[i]
    return out[:-1]
