# expect: crashed: memory that is not its own
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit(parallel=True)
def parallel_histogram(values, bins, low, high):
    counts = np.zeros(bins, dtype=np.int64)
    for k in prange(bins):
        counts[k + 10**13] = 1
    return counts
