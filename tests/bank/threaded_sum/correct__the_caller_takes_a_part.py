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
    partial_sum(np.ones(1), 0, 1, np.empty(1), 0)
    out, size = np.empty(workers), -(-values.size // workers)
    bounds = [min(k * size, values.size) for k in range(workers + 1)]
    with ThreadPoolExecutor() as pool:
        futures = [
            pool.submit(partial_sum, values, start=bounds[k], stop=bounds[k + 1], out=out, index=k)
            for k in range(1, workers)
        ]
        partial_sum(values, 0, bounds[1], out, 0)
        for future in futures:
            future.result()
    return out.sum()
