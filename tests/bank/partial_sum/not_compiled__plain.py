# expect: not compiled: plain Python function
import numpy as np
from numba import njit, objmode, prange


def partial_sum(values, start, stop, out, index):
    out[index] = values[start:stop].sum()
