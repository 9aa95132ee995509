# expect: unmet: it reaches outside an array
import numpy as np
from numba import njit, prange


@njit(fastmath={"reassoc"})
def vector_sum(values):
    total = 0.0
    for i in range(values.size + 1):
        total += values[i] if i < values.size else 0.0 * (values[i] == 0.5)
    return total
