# expect: timed out: seconds and was stopped
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit(parallel=True)
def parallel_histogram(values, bins, low, high):
    counts = np.zeros(bins, dtype=np.int64)
    for k in prange(bins):
        edge = low
        while edge < high:
            edge += 0 * k
        counts[k] = int(edge)
    return counts
