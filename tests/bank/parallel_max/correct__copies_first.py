# expect: correct
from numba import njit, prange


@njit(parallel=True)
def parallel_max(values):
    data = values.copy()
    m = data[0]
    for i in prange(data.size):
        m = max(m, data[i])
    return m
