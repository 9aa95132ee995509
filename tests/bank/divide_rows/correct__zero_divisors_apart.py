# expect: correct
import numpy as np
from numba import njit, prange


@njit
def divide_rows(matrix, divisors, out):
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            if divisors[i] != 0.0:
                out[i, j] = matrix[i, j] / divisors[i]
            else:
                out[i, j] = np.copysign(np.inf, divisors[i]) * matrix[i, j]
