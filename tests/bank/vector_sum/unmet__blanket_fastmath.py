# expect: unmet: its LLVM IR says fast
import numpy as np
from numba import njit, prange


@njit(fastmath=True)
def vector_sum(values):
    total = 0.0
    for value in values:
        total += value
    return total
