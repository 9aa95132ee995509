# expect: raised: has no attribute
import numpy as np
from numba import float64, njit, types


@njit
def kernel(matrix):
    return matrix.sum(axis=1)


def row_sums(matrix):
    return kernel(matrix.astype(np.float64, order="C"))
