# expect: correct
import numpy as np
from numba import njit, prange


@njit(parallel=True, fastmath={"reassoc"})
def vector_sum(values):
    total = 0.0
    for i in prange(values.size):
        total += values[i]
    return total
