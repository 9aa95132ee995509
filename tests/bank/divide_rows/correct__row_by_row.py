# expect: correct
import numpy as np
from numba import njit, prange


@njit(error_model="numpy")
def divide_rows(matrix, divisors, out):
    for i in range(len(matrix)):
        out[i] = matrix[i] / divisors[i]
