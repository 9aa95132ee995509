# expect: not compiled: nothing is called `prange` there: is an `import` missing?
from numba import njit
@njit(parallel=True)
def parallel_max(values):
    largest = values[0]
    for i in prange(values.size):
        largest = max(largest, values[i])
    return largest
