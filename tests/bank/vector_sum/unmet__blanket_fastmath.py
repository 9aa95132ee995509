# expect: unmet: its LLVM IR says fast
import numpy as np
from numba import njit, prange


@njit(fastmath=True)
def vector_sum(values):
    total = 0.0
    for i in range(values.size):
        total += values[i]
    return total
