# expect: wrong: it changed its argument
import numpy as np
from numba import njit, prange


@njit(error_model="numpy")
def divide_rows(matrix, divisors, out):
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            matrix[i, j] /= divisors[i]
            out[i, j] = matrix[i, j]
