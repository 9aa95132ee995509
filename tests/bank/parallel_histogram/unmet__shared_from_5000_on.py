# expect: unmet: race-free
import numpy as np
from numba import njit, prange


@njit
def find_bin(value, bins, low, high):
    if not (value >= low and value <= high):
        return -1
    step = (high - low) / bins
    k = min(int((value - low) / step), bins - 1)
    if value < low + k * step:
        return k - 1
    if k < bins - 1 and value >= low + (k + 1) * step:
        return k + 1
    return k


@njit(parallel=True)
def parallel_histogram(values, bins, low, high):
    counts = np.zeros(bins, np.int64)
    if values.size < 5000:
        for b in prange(bins):
            for value in values:
                if find_bin(value, bins, low, high) == b:
                    counts[b] += 1
    else:
        for i in prange(values.size):
            k = find_bin(values[i], bins, low, high)
            if k >= 0:
                counts[k] += 1
    return counts
