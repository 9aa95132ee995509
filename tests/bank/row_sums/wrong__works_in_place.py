# expect: wrong: it changed its argument
import numpy as np
from numba import float64, njit, types


@njit
def kernel(matrix):
    for i in range(matrix.shape[0]):
        for j in range(1, matrix.shape[1]):
            matrix[i, 0] += matrix[i, j]
    return matrix[:, 0].copy() if matrix.shape[1] else np.zeros(matrix.shape[0])


def row_sums(matrix):
    return kernel(np.require(matrix, np.float64, ["C", "W"]))
