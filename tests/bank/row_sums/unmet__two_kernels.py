# expect: unmet: its 2 kernels were compiled 2 times
import numpy as np
from numba import float64, njit, types


def add_up(matrix):
    sums = np.zeros(matrix.shape[0])
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            sums[i] += matrix[i, j]
    return sums


kernels = {"C": njit(add_up), "F": njit(add_up)}


def row_sums(matrix):
    matrix = np.array(matrix, dtype=np.float64)
    return kernels["C" if matrix.flags.c_contiguous else "F"](matrix)
