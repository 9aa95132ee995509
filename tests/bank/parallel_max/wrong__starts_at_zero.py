# expect: wrong: -3.0
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit(parallel=True)
def parallel_max(values):
    best = 0.0
    for i in prange(values.size):
        best = max(best, values[i])
    return best
