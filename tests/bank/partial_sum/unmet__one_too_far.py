# expect: unmet: it reaches outside an array
import numpy as np
from numba import njit, objmode, prange


@njit(nogil=True)
def partial_sum(values, start, stop, out, index):
    total, i, value = 0.0, start, 0.0
    while i < stop:
        value = values[i]
        i += 1
        following = values[i]
        total += value if following == following else value
    out[index] = total
