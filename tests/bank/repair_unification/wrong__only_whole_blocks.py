# expect: wrong: the result
import numpy as np
from numba import njit


@njit
def repair_unification(flag, values):
    result = np.zeros(values.size)
    mean = values.mean() if flag else 0.0
    size = values.size if values.size < 64 else values.size // 64 * 64
    for i in range(size):
        result[i] = values[i] - mean
    return result
