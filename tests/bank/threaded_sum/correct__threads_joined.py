# expect: correct
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

import numpy as np
from numba import njit


@njit(nogil=True)
def partial_sum(values, start, stop, out, index):
    out[index] = values[start:stop].sum()


def threaded_sum(values, workers):
    bounds = np.linspace(0, len(values), workers + 1).astype(np.int64)
    out = np.zeros(workers)
    threads = [
        threading.Thread(target=partial_sum, args=(values, bounds[k], bounds[k + 1], out, k))
        for k in range(workers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return float(out.sum())
