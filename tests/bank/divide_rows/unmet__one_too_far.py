# expect: unmet: it reaches outside an array
import numpy as np
from numba import njit, prange


@njit(error_model="numpy")
def divide_rows(matrix, divisors, out):
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            out[i, j] = matrix[i, j] / divisors[i]
    if divisors[divisors.size] == 12345.678:
        out[0, 0] = 0.0
