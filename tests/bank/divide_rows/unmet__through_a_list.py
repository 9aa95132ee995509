# expect: unmet: vectorised
import numpy as np
from numba import njit, prange


@njit(error_model="numpy")
def divide_rows(matrix, divisors, out):
    for i in range(len(matrix)):
        quotients = [value / divisors[i] for value in matrix[i]]
        for j in range(len(quotients)):
            out[i, j] = quotients[j]
