# expect: unmet: cannot prove it is safe to reorder
import numpy as np
from numba import njit, prange


@njit
def vector_sum(values):
    total = 0.0
    for i in range(values.size):
        total += values[i]
    return total
