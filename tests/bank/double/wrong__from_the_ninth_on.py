# expect: wrong: expected
import numpy as np
from numba import njit


@njit
def double(values):
    out = np.empty_like(values)
    for i in range(values.size):
        out[i] = values[i] * (2 if i < 8 else 3)
    return out
