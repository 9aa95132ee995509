# expect: wrong: out
import numpy as np
from numba import njit, objmode, prange


@njit(nogil=True)
def partial_sum(values, start, stop, out, index):
    return values[start:stop].sum()
