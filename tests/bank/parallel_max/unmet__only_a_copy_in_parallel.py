# expect: unmet: one thread alone does
from numba import njit


@njit(parallel=True)
def parallel_max(values):
    data = values + 0.0
    largest = data[0]
    for i in range(data.size):
        largest = max(largest, data[i])
    return largest
