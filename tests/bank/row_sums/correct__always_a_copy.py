# expect: correct
import numpy as np
from numba import float64, njit, types


@njit
def kernel(matrix):
    sums = np.empty(len(matrix))
    for i in range(len(matrix)):
        total = 0.0
        for value in matrix[i]:
            total += value
        sums[i] = total
    return sums


def row_sums(matrix):
    return kernel(np.array(matrix, dtype=np.float64, order="C"))
