# expect: wrong: expected
import numpy as np
from numba import njit


@njit
def robust_moving_average(values, window):
    means = np.empty(values.size - window + 1)
    total, nans = 0.0, 0
    for i in range(values.size):
        if np.isfinite(values[i]):
            total += values[i]
        else:
            nans += 1
        if i >= window:
            if np.isfinite(values[i - window]):
                total -= values[i - window]
            else:
                nans -= 1
        if i >= window - 1:
            means[i - window + 1] = np.nan if nans else total / window
    return means
