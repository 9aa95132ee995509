# expect: unmet: one element at a time
import numpy as np
from numba import njit


@njit
def vector_sum(values):
    padding = np.zeros(values.size)
    for k in range(8):
        padding += values - values
    total = 0.0
    for i in range(values.size):
        total += values[i]
    return total if padding.size == values.size else 0.0
