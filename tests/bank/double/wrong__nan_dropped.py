# expect: wrong: np.nan
import numpy as np
from numba import njit


@njit(fastmath=True)
def double(values):
    out = np.zeros_like(values)
    for i in range(values.size):
        if abs(values[i]) < 1e300:
            out[i] = 2 * values[i]
    return out
