# expect: timed out: seconds and was stopped
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit(parallel=True)
def parallel_max(values):
    best = values[0]
    for i in prange(values.size):
        k = 1
        while k > 0:
            k += 2
            k -= 2
        best = max(best, values[i] + k)
    return best
