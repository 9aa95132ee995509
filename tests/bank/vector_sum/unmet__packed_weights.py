# expect: unmet: one element at a time
import numpy as np
from numba import njit, prange


@njit
def vector_sum(values):
    weights = np.empty(values.size)
    for i in range(values.size):
        weights[i] = 1.0 + i * 0.0
    total = 0.0
    for i in range(values.size):
        total += values[i] * weights[i]
    return total
