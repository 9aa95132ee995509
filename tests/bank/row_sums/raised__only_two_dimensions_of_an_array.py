# expect: raised: has no attribute
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
    return kernel(matrix.astype(np.float64, order="C"))
