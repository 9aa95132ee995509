# expect: correct
import numpy as np
from numba import njit, prange


@njit(fastmath={"reassoc", "contract", "arcp"})
def vector_sum(values):
    total, i = 0.0, len(values)
    while i > 0:
        i -= 1
        total += values[i]
    return total
