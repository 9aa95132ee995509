# expect: wrong: expected
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit(parallel=True)
def parallel_histogram(values, bins, low, high):
    counts = np.zeros(bins, dtype=np.int64)
    for k in prange(bins):
        counts[k] = 0
    return counts
