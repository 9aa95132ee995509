# expect: correct
import numpy as np
from numba import njit


@njit(error_model="numpy")
def divide_rows(matrix, divisors, out):
    m, o = matrix.ravel(), out.ravel()
    n = matrix.shape[1]
    for i in range(matrix.shape[0]):
        for k in range(i * n, (i + 1) * n):
            o[k] = m[k] / divisors[i]
