# expect: wrong: expected
import numpy as np
from numba import njit


@njit
def double(values):
    out = np.zeros_like(values)
    for i in range(min(values.size, 65_536)):
        out[i] = 2 * values[i]
    return out
