# expect: unmet: its LLVM IR says ninf
import numpy as np
from numba import njit, prange


@njit(fastmath={"reassoc", "ninf"})
def vector_sum(values):
    return values.sum()
