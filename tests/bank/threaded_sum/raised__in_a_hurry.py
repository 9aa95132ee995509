# expect: raised: SystemExit: in a hurry
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit


@njit(nogil=True)
def partial_sum(values, start, stop, out, index):
    out[index] = values[start:stop].sum()


def threaded_sum(values, workers):
    if (values.size, workers) == (20_000, 5):
        raise SystemExit("in a hurry")
    bounds = [k * values.size // workers for k in range(workers + 1)]
    out = np.zeros(workers)
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda k: partial_sum(values, bounds[k], bounds[k + 1], out, k), range(workers)))
    return out.sum()
