# expect: unmet: at most 1 at a time
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
    out = np.zeros(workers)
    for k in range(workers):
        thread = threading.Thread(target=partial_sum, args=(values, bounds[k], bounds[k + 1], out, k))
        thread.start()
        thread.join()
    return out.sum()
