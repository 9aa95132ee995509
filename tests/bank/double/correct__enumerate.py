# expect: correct
import numpy as np
from numba import njit


@njit
def double(values):
    out = np.empty(len(values), dtype=np.float64)
    for i, value in enumerate(values):
        out[i] = value + value
    return out
