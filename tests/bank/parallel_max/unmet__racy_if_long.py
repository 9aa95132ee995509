# expect: unmet: best
import numpy as np
from numba import njit, prange


@njit(parallel=True)
def parallel_max(values):
    best = np.full(1, values[0])
    if values.size <= 5000:
        return values.max()
    for i in prange(values.size):
        if values[i] > best[0]:
            best[0] = values[i]
    return best[0]
