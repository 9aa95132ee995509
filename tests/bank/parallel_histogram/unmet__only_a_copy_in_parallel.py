# expect: unmet: one thread alone does
import numpy as np
from numba import njit


@njit(parallel=True)
def parallel_histogram(values, bins, low, high):
    data = values + 0.0
    counts = np.zeros(bins, np.int64)
    step = (high - low) / bins
    for v in data:
        if low <= v <= high:
            b = min(int((v - low) / step), bins - 1)
            if v < low + b * step:
                b -= 1
            elif b < bins - 1 and v >= low + (b + 1) * step:
                b += 1
            counts[b] += 1
    return counts
