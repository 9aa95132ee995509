# expect: wrong: the result is
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

import numpy as np
from numba import njit


@njit(nogil=True)
def partial_sum(values, start, stop, out, index):
    out[index] = values[start:stop].sum()


def threaded_sum(values, workers):
    bounds = [k * values.size // workers for k in range(workers + 1)]
    out = np.zeros(1)
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda k: partial_sum(values, bounds[k], bounds[k + 1], out, 0), range(workers)))
    return out[0]
