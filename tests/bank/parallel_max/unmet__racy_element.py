# expect: unmet: best[0]
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit(parallel=True)
def parallel_max(values):
    best = np.full(1, values[0])
    for i in prange(values.size):
        if values[i] > best[0]:
            best[0] = values[i]
    return best[0]
