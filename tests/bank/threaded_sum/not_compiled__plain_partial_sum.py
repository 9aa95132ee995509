# expect: not compiled: its `partial_sum` is plain Python
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

import numpy as np
from numba import njit


def partial_sum(values, start, stop, out, index):
    out[index] = values[start:stop].sum()


def threaded_sum(values, workers):
    bounds = [k * values.size // workers for k in range(workers + 1)]
    out = np.zeros(workers)
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda k: partial_sum(values, bounds[k], bounds[k + 1], out, k), range(workers)))
    return out.sum()
