# expect: unmet: sum 3 times as many
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

import numpy as np
from numba import njit


@njit(nogil=True)
def partial_sum(values, start, stop, out, index):
    out[index] = values[start:stop].sum()


def threaded_sum(values, workers):
    out = np.zeros(workers)
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda k: partial_sum(values, 0, values.size, out, k), range(workers)))
    return out[0]
