# expect: correct
import numpy as np
from numba import njit, prange


@njit(parallel=True)
def parallel_max(values):
    workers = 8
    best = np.full(workers, -np.inf)
    for k in prange(workers):
        largest = -np.inf
        for i in range(k, values.size, workers):
            if values[i] > largest:
                largest = values[i]
        best[k] = largest
    return np.max(best)
