# expect: unmet: without nogil=True
import numpy as np
from numba import njit, objmode, prange


@njit
def partial_sum(values, start, stop, out, index):
    total = 0.0
    for i in range(start, stop):
        total += values[i]
    out[index] = total
