# expect: unmet: it reaches outside an array
import numpy as np
from numba import njit


@njit
def double(values):
    last = values[values.size]
    return 2 * values + 0 * np.isnan(last)
