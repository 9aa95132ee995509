# expect: correct
import numpy as np
from numba import float64, njit, types


@njit
def kernel(matrix, out):
    out[:] = matrix.sum(axis=1)


def row_sums(matrix):
    matrix = np.array(matrix, dtype=float, order="F")
    padded = np.zeros((matrix.shape[0] + 2, matrix.shape[1] + 2), order="F")
    padded[1:-1, 1:-1] = matrix
    out = np.empty(padded.shape[0])
    kernel(padded, out)
    return out[1:-1]
