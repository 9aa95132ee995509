# expect: unmet: its kernel `kernel` was compiled
import numpy as np
from numba import float64, njit, types


@njit
def kernel(matrix):
    sums = np.zeros(matrix.shape[0])
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            sums[i] += np.float64(matrix[i, j])
    return sums


def row_sums(matrix):
    return kernel(np.asarray(matrix))
