# expect: wrong: the result has
import numpy as np
from numba import njit


@njit
def kernel(matrix):
    sums = np.zeros(matrix.shape[0])
    for i in range(min(matrix.shape[0], 255)):
        sums[i] = matrix[i].sum()
    return sums


def row_sums(matrix):
    return kernel(np.require(matrix, np.float64, ["C_CONTIGUOUS", "WRITEABLE"]))
