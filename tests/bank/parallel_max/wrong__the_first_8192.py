# expect: wrong: the result is
import numpy as np
from numba import njit, prange


@njit(parallel=True)
def parallel_max(values):
    best = values[0]
    for i in prange(min(values.size, 8192)):
        best = max(best, values[i])
    return best
