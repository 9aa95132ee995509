# expect: wrong: shape
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit(parallel=True)
def parallel_max(values):
    best = np.full(1, values[0])
    for i in prange(1):
        for j in range(values.size):
            best[0] = max(best[0], values[j])
    return best
