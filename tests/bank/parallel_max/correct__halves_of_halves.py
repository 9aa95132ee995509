# expect: correct
from numba import njit, prange


@njit(parallel=True)
def parallel_max(values):
    work = values.copy()
    n = work.size
    while n > 1:
        half = (n + 1) // 2
        for i in prange(n - half):
            work[i] = max(work[i], work[i + half])
        n = half
    return work[0]
