# expect: correct
import numpy as np
from numba import guvectorize, njit


@guvectorize(["void(float64[::1], float64, float64[::1])"], "(n),()->(n)")
def divide_rows(row, divisor, out):
    for j in range(row.size):
        out[j] = row[j] / divisor
