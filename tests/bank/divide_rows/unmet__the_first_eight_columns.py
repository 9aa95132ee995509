# expect: unmet: one element at a time
import numpy as np
from numba import njit, prange


@njit(error_model="numpy")
def divide_rows(matrix, divisors, out):
    for i in range(matrix.shape[0]):
        for j in range(min(8, matrix.shape[1])):
            out[i, j] = matrix[i, j] / divisors[i]
        rest = [value / divisors[i] for value in matrix[i, 8:]]
        for j in range(len(rest)):
            out[i, 8 + j] = rest[j]
