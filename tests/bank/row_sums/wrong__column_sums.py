# expect: wrong: shape
import numpy as np
from numba import float64, njit, types


@njit
def kernel(matrix):
    return matrix.sum(axis=0)


def row_sums(matrix):
    return kernel(np.array(matrix, dtype=np.float64, order="C"))
