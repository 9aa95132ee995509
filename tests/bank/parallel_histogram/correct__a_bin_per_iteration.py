# expect: correct
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit
def find_bin(value, bins, low, high):
    if not (value >= low and value <= high):
        return -1
    step = (high - low) / bins
    k = int((value - low) / step)
    if k >= bins:
        k = bins - 1
    if value < low + k * step:
        k -= 1
    elif k < bins - 1 and value >= low + (k + 1) * step:
        k += 1
    return k


@njit(parallel=True)
def parallel_histogram(values, bins, low, high):
    counts = np.zeros(bins, dtype=np.int64)
    for k in prange(bins):
        for value in values:
            if find_bin(value, bins, low, high) == k:
                counts[k] += 1
    return counts
