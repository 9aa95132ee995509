# expect: timed out: seconds and was stopped
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
    everyone = threading.Barrier(workers + 1)

    def work(k):
        partial_sum(values, k * values.size // workers, (k + 1) * values.size // workers, out, k)
        everyone.wait()

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    return out.sum()
