# expect: unmet: kernels were compiled
import numpy as np
from numba import float64, njit, types

kernels = {}


def add_up(matrix):
    sums = np.zeros(matrix.shape[0])
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            sums[i] += matrix[i, j]
    return sums


def row_sums(matrix):
    matrix = np.array(matrix, order="C")
    if matrix.dtype.kind == "f":
        matrix = matrix.astype(np.float64)
    if matrix.dtype not in kernels:
        kernels[matrix.dtype] = njit(add_up)
    return kernels[matrix.dtype](matrix)
