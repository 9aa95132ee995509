# expect: correct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit


@njit(nogil=True)
def partial_sum(values, start, stop, out, index):
    total = 0.0
    for i in range(start, stop):
        total += values[i]
    out[index] = total


@njit
def bounds(n, workers):
    return [k * n // workers for k in range(workers + 1)]


def threaded_sum(values, workers):
    ends, parts = bounds(len(values), workers), np.zeros(workers)
    with ThreadPoolExecutor(workers) as pool:
        for k in range(workers):
            pool.submit(partial_sum, values, ends[k], ends[k + 1], parts, k)
    return parts.sum()
