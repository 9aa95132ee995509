# expect: correct
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit(parallel=True)
def parallel_max(values):
    least = -values[0]
    for i in prange(1, values.size):
        least = min(least, -values[i])
    return -least
