# expect: wrong: out
import numpy as np
from numba import njit


@njit(nogil=True)
def partial_sum(values, start, stop, out, index):
    sums = np.zeros(values.size + 1)
    for i in range(values.size):
        sums[i + 1] = sums[i] + values[i]
    out[index] = sums[stop] - sums[start]
