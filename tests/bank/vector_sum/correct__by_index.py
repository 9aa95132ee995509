# expect: correct
import numpy as np
from numba import njit, prange


@njit(fastmath={"reassoc", "nsz"})
def vector_sum(values):
    total = 0.0
    for i in range(values.size):
        total = total + values[i]
    return total
