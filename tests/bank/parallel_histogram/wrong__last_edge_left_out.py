# expect: wrong: expected
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
    for c in prange(4):
        for i in range(c * values.size // 4, (c + 1) * values.size // 4):
            if low <= values[i] < high:
                rows[c, min(int((values[i] - low) / (high - low) * bins), bins - 1)] += 1
    return added(rows)
