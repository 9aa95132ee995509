# expect: timed out: seconds and was stopped
import numpy as np
from numba import njit, prange


@njit(fastmath={"reassoc"})
def vector_sum(values):
    total, i = 0.0, 0
    while i < values.size:
        total += values[i]
        i = max(i, 0)
    return total
