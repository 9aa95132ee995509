# expect: correct
import numpy as np
from numba import guvectorize


@guvectorize(["void(float64[:], float64[:])"], "(n)->()")
def add_row(row, total):
    total[0] = 0.0
    for j in range(row.size):
        total[0] += row[j]


def row_sums(matrix):
    return add_row(np.asarray(matrix, np.float64))
