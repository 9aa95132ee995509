# expect: timed out: seconds and was stopped
import numpy as np
from numba import njit, objmode, prange


@njit(nogil=True)
def partial_sum(values, start, stop, out, index):
    total, i = 0.0, start
    while i < stop:
        total += values[i]
        i += 1 if values[i] >= 0 else 0
        i -= 1 if total > 300 else 0
    out[index] = total
