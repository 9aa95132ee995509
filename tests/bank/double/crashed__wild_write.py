# expect: crashed: memory that is not its own
import numpy as np
from numba import njit


@njit
def double(values):
    out = np.empty_like(values)
    for i in range(10**12):
        out[i] = 0.0
    return out
