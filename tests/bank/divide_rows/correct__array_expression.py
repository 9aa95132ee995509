# expect: correct
import numpy as np
from numba import njit, prange


@njit
def divide_rows(matrix, divisors, out):
    out[:] = matrix / divisors.reshape(-1, 1)
