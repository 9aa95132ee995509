# expect: correct
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

import numpy as np
from numba import njit


@njit(nogil=True)
def partial_sum(values, start, stop, out, index):
    out[index] = values[start:stop].sum()


def one_part(part):
    out = np.empty(1)
    partial_sum(part, 0, part.size, out, 0)
    return out[0]


def threaded_sum(values, workers):
    with ThreadPool(workers) as pool:
        return sum(pool.map(one_part, np.array_split(values, 4 * workers), chunksize=1), 0.0)
