# expect: unmet: one element at a time
import numpy as np
from numba import njit


@njit(error_model="numpy")
def divide_rows(matrix, divisors, out):
    for i in range(matrix.shape[0]):
        for k in range(1, 7):
            for j in range(matrix.shape[1]):
                out[i, j] = matrix[i, j] / (divisors[i] + k)
        for j in range(matrix.shape[1]):
            if out[i, j] == 1.25e77:
                break
            out[i, j] = matrix[i, j] / divisors[i]
