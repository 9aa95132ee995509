# expect: wrong: expected
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit(parallel=True)
def parallel_max(values):
    best = 7.0
    for i in prange(1):
        best = max(best, 7.0)
    return best
