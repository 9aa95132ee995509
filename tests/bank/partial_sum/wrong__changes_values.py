# expect: wrong: it changed its argument `values`
import numpy as np
from numba import njit, objmode, prange


@njit(nogil=True)
def partial_sum(values, start, stop, out, index):
    for i in range(start + 1, stop):
        values[start] += values[i]
    out[index] = values[start] if start < stop else 0.0
