# expect: raised: too long a window
import numpy as np
from numba import njit


@njit
def moving_average(values, window):
    if window > 100 and values.size > 1000:
        raise ValueError("too long a window")
    sums = np.concatenate((np.zeros(1), np.cumsum(values)))
    return (sums[window:] - sums[:-window]) / window
