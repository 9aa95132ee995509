# expect: wrong: it changed its argument `values`
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit(parallel=True)
def parallel_max(values):
    values.sort()
    best = values[-1]
    for i in prange(1):
        best = max(best, values[values.size - 1])
    return best
