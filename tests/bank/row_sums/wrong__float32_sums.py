# expect: wrong: the result is
import numpy as np
from numba import float64, njit, types


@njit
def kernel(matrix):
    sums = np.zeros(matrix.shape[0])
    for i in range(matrix.shape[0]):
        total = np.float32(0)
        for j in range(matrix.shape[1]):
            total += matrix[i, j]
        sums[i] = total
    return sums


def row_sums(matrix):
    return kernel(np.array(matrix, dtype=np.float32, order="C"))
