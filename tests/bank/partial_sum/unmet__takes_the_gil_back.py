# expect: unmet: takes it back inside
import numpy as np
from numba import njit, objmode, prange


@njit(nogil=True)
def partial_sum(values, start, stop, out, index):
    with objmode(total="float64"):
        total = float(sum(values[start:stop].tolist()))
    out[index] = total
