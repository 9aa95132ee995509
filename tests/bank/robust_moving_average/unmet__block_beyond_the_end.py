# expect: unmet: it reaches outside an array
import numpy as np
from numba import njit


@njit
def robust_moving_average(values, window):
    means, ends = np.empty(values.size - window + 1), np.empty(window)
    for start in range(0, means.size, window):
        ends[window - 1] = values[start + window - 1]
        for k in range(window - 2, -1, -1):
            ends[k] = values[start + k] + ends[k + 1]
        total = 0.0
        for k in range(min(window, means.size - start)):
            means[start + k] = (ends[k] + total) / window
            total += values[start + window + k]
    return means
