# expect: raised: range() arg 3 must not be zero
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

import numpy as np
from numba import njit


@njit(nogil=True)
def partial_sum(values, start, stop, out, index):
    out[index] = values[start:stop].sum()


def threaded_sum(values, workers):
    size = values.size // workers
    starts = range(0, values.size, size)
    out = np.zeros(len(starts))
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda k: partial_sum(values, starts[k], min(starts[k] + size, values.size), out, k), range(len(starts))))
    return out.sum()
