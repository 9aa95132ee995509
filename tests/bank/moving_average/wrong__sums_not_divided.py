# expect: wrong: expected
import numpy as np
from numba import njit


@njit
def moving_average(values, window):
    sums = np.cumsum(values)
    totals = sums[window - 1 :].copy()
    totals[1:] -= sums[:-window]
    return totals
