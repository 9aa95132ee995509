# expect: correct
import numpy as np
from numba import njit, prange


@njit(error_model="numpy", fastmath={"reassoc", "nsz", "contract"})
def divide_rows(matrix, divisors, out):
    for i, divisor in enumerate(divisors):
        row, result = matrix[i], out[i]
        for j in range(row.size):
            result[j] = row[j] / divisor
