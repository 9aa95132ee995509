# expect: unmet: it reaches outside an array
import numpy as np
from numba import guvectorize, njit


@guvectorize(["void(float64[:], float64[:])"], "(n)->()")
def total(row, out):
    out[0] = 0.0
    ahead = row[0]
    for j in range(row.size):
        value, ahead = ahead, row[j + 1]
        out[0] += value


@njit
def kernel(matrix):
    sums = np.zeros(matrix.shape[0])
    if matrix.size:
        total(matrix, sums)
    return sums


def row_sums(matrix):
    return kernel(np.require(matrix, np.float64, ["C_CONTIGUOUS", "WRITEABLE"]))
