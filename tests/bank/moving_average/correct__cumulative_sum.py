# expect: correct
import numpy as np
from numba import njit


@njit
def moving_average(values, window):
    sums = np.cumsum(values)
    means = sums[window - 1 :] / window
    means[1:] -= sums[:-window] / window
    return means
