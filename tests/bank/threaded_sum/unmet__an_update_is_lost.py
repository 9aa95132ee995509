# expect: unmet: where its threads take turns
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit


@njit(nogil=True)
def partial_sum(values, start, stop, out, index):
    s = 0.0
    for v in values[start:stop]:
        s += v
    out[index] = s


def threaded_sum(values, workers):
    n = len(values)
    total = [0.0]

    def work(k):
        out = np.zeros(1)
        partial_sum(values, k * n // workers, (k + 1) * n // workers, out, 0)
        total[0] = add(total[0], float(out[0]))

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    return total[0]


def add(a, b):
    for _ in range(3):
        pass
    return a + b
