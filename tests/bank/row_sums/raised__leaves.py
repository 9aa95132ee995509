# expect: raised: SystemExit
import sys

import numpy as np
from numba import njit


@njit
def kernel(matrix):
    return matrix.sum(axis=1)


def row_sums(matrix):
    matrix = np.array(matrix, np.float64)
    return kernel(matrix) if len(matrix) < 100 else sys.exit()
