# expect: wrong: the result is
import numpy as np
from numba import float64, njit, types


@njit
def kernel(matrix):
    return matrix.sum(axis=1).astype(np.float64)


def row_sums(matrix):
    return kernel(np.array(matrix, dtype=np.float32, order="C"))
