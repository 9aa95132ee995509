# expect: timed out: seconds and was stopped
import numpy as np
from numba import njit


@njit
def double(values):
    out = np.zeros_like(values)
    for i in range(values.size):
        for k in range(10**11):
            out[i] = 2 * values[i] if k % 7 else out[i]
            values[i] = -values[i] if k % 3 == 5 else values[i]
    return out
