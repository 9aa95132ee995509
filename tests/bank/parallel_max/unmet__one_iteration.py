# expect: unmet: one of 4 threads does nearly all
from numba import njit, prange


@njit(parallel=True)
def parallel_max(values):
    best = values[0]
    for _ in prange(1):
        for i in range(values.size):
            best = max(best, values[i])
    return best
