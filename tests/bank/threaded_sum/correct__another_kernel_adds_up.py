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
def add_up(parts):
    total = 0.0
    for part in parts:
        total += part
    return total


def threaded_sum(values, workers):
    n, parts = len(values), np.zeros(workers)

    def work(k):
        partial_sum(values, k * n // workers, (k + 1) * n // workers, parts, k)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    return add_up(parts)
