# expect: correct
import numpy as np
from numba import njit, prange


@njit
def divide_rows(matrix, divisors, out):
    for i in range(matrix.shape[0]):
        divisor = divisors[i]
        if divisor == 0.0:
            infinite = np.copysign(np.inf, divisor)
            for j in range(matrix.shape[1]):
                out[i, j] = matrix[i, j] * infinite
        else:
            for j in range(matrix.shape[1]):
                out[i, j] = matrix[i, j] / divisor
