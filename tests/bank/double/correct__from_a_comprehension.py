# expect: correct
import numpy as np
from numba import njit



@njit
def double(values):
    out = np.empty(values.size)
    out[:] = 0.0
    for _ in range(2):
        out += values
    return out
