# expect: wrong: the result
import numpy as np
from numba import get_num_threads, njit, prange


@njit(parallel=True)
def parallel_histogram(values, bins, low, high):
    workers, n = get_num_threads(), values.size
    edges = np.linspace(low, high, bins + 1)
    counts = np.zeros((workers, bins), np.int64)
    for worker in prange(workers):
        for i in range(worker * n // workers, (worker + 1) * n // workers):
            if low <= values[i] <= high:
                k = np.searchsorted(edges, values[i], side="right") - 1
                counts[worker, min(k, bins - 1)] += 1
    return counts.sum(axis=0)
