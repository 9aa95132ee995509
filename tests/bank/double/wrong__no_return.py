# expect: wrong: it returned None; is a `return` missing?
import numpy as np
from numba import njit


@njit
def double(values):
    out = np.empty_like(values)
    for i in range(values.size):
        out[i] = 2 * values[i]
