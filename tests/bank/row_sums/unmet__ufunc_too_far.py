# expect: unmet: it reaches outside an array
import numpy as np
from numba import guvectorize


@guvectorize(["void(float64[:], float64[:])"], "(n)->()")
def add_row(row, total):
    total[0] = 0.0
    for j in range(row.size + 1):
        total[0] += row[j] if j < row.size else 0 * (row[j] == 1.5)


def row_sums(matrix):
    return add_row(np.array(matrix, np.float64))
