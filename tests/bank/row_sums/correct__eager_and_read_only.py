# expect: correct
import numpy as np
from numba import float64, njit, types


@njit(float64[::1](types.Array(float64, 2, "C", readonly=True)))
def kernel(matrix):
    sums = np.zeros(matrix.shape[0])
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            sums[i] += matrix[i, j]
    return sums


def row_sums(matrix):
    return kernel(np.ascontiguousarray(matrix, dtype=np.float64))
