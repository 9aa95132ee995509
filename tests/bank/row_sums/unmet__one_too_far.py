# expect: unmet: it reaches outside an array
import numpy as np
from numba import float64, njit, types


@njit
def kernel(matrix):
    rows, columns = matrix.shape
    sums = np.zeros(rows)
    for i in range(rows):
        for j in range(columns + 1):
            value = matrix[i, j]
            if j < columns:
                sums[i] += value
            elif value == 12345.678:
                sums[i] += 0.0
    return sums


def row_sums(matrix):
    return kernel(np.array(matrix, dtype=np.float64, order="C"))
