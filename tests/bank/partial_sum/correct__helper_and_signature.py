# expect: correct
import numpy as np
from numba import njit, objmode, prange


@njit
def add_up(part):
    total = 0.0
    for value in part:
        total += value
    return total


@njit("(float64[::1], int64, int64, float64[::1], int64)", nogil=True)
def partial_sum(values, start, stop, out, index):
    out[index] = add_up(values[start:stop])
