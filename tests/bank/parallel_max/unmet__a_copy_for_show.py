# expect: unmet: one thread alone does
import numpy as np
from numba import njit, prange


@njit(parallel=True)
def parallel_max(values):
    data = np.empty(values.size)
    for i in prange(values.size):
        data[i] = values[i]
    largest = data[0]
    for v in data:
        if v > largest:
            largest = v
    return largest
