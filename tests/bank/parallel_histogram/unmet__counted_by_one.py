# expect: unmet: one thread alone does
import numpy as np
from numba import njit


@njit(parallel=True)
def parallel_histogram(values, bins, low, high):
    counts, step = np.zeros(bins, np.int64), (high - low) / bins
    for value in values:
        if low <= value <= high:
            k = min(int((value - low) / step), bins - 1)
            if value < low + k * step:
                k -= 1
            elif k < bins - 1 and value >= low + (k + 1) * step:
                k += 1
            counts[k] += 1
    return counts
