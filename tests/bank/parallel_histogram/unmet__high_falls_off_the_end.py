# expect: unmet: it reaches outside an array
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit
def added(rows):
    total = np.zeros(rows.shape[1], dtype=np.int64)
    for c in range(rows.shape[0]):
        for k in range(rows.shape[1]):
            total[k] += rows[c, k]
    return total


@njit(parallel=True)
def parallel_histogram(values, bins, low, high):
    rows = np.zeros((4, bins), dtype=np.int64)
    step = (high - low) / bins
    for c in prange(4):
        for i in range(c * values.size // 4, (c + 1) * values.size // 4):
            if low <= values[i] <= high:
                k = int((values[i] - low) / step)
                if k < bins - 1 and values[i] >= low + (k + 1) * step:
                    k += 1
                if k < bins and values[i] < low + k * step:
                    k -= 1
                probe = rows[3, k]
                rows[c, min(k, bins - 1)] += 1 + 0 * probe
    return added(rows)
