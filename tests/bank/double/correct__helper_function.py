# expect: correct
import numpy as np
from numba import njit



@njit
def twice(x):
    return 2 * x


@njit
def double(values):
    out = np.zeros_like(values)
    for i in range(len(out)):
        out[i] = twice(values[i])
    return out
