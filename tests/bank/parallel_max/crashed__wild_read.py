# expect: crashed: memory that is not its own
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit(parallel=True)
def parallel_max(values):
    best = values[0]
    for i in prange(values.size):
        best = max(best, values[i + 10**13])
    return best
