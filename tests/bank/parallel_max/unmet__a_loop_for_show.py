# expect: unmet: one thread alone does
import numpy as np
from numba import njit, prange


@njit(parallel=True)
def parallel_max(values):
    seen = np.zeros(values.size)
    for k in prange(values.size):
        seen[k] = 1.0
    best = values[0]
    for i in range(values.size):
        best = max(best, values[i])
    return best if seen[0] == 1.0 else 0.0
