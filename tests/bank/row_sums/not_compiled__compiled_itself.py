# expect: not compiled: the wrapper itself is compiled
import numpy as np
from numba import float64, njit, types


@njit
def row_sums(matrix):
    return matrix.sum(axis=1)
