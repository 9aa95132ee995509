# expect: wrong: out
import numpy as np
from numba import njit, prange


@njit
def divide_rows(matrix, divisors, out):
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            out[i, j] = matrix[i, j] / divisors[i] if divisors[i] != 0 else 0.0
