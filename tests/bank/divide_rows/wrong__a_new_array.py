# expect: wrong: out
import numpy as np
from numba import njit, prange


@njit(error_model="numpy")
def divide_rows(matrix, divisors, out):
    out = matrix / divisors.reshape(-1, 1)
    return out
