# expect: wrong: expected
import numpy as np
from numba import njit


@njit
def safe_mean(values):
    total = np.float32(0)
    for value in values:
        total += np.float32(value)
    return np.float64(total) / values.size
