# expect: wrong: it was read-only, and is not any more
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
    if isinstance(matrix, np.ndarray) and matrix.flags.c_contiguous:
        matrix.flags.writeable = True
    return kernel(np.require(matrix, np.float64, ["C", "W"]))
