# expect: unmet: was compiled 2 times: for array(float64, 2d, C); readonly array(float64, 2d, C)
import numpy as np
from numba import float64, njit, types


@njit
def kernel(matrix):
    sums = np.zeros(matrix.shape[0])
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            sums[i] += matrix[i, j]
    return sums


def row_sums(matrix):
    return kernel(np.ascontiguousarray(matrix, dtype=np.float64))
