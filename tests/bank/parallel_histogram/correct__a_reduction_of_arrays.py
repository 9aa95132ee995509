# expect: correct
import numpy as np
from numba import njit, prange
@njit
def one(value, bins, low, high):
    counts = np.zeros(bins, np.int64)
    if low <= value <= high:
        step = (high - low) / bins
        k = min(int((value - low) / step), bins - 1)
        if value < low + k * step:
            k -= 1
        elif k < bins - 1 and value >= low + (k + 1) * step:
            k += 1
        counts[k] = 1
    return counts
@njit(parallel=True)
def parallel_histogram(values, bins, low, high):
    total = np.zeros(bins, np.int64)
    for i in prange(values.size):
        total += one(values[i], bins, low, high)
    return total
