# expect: timed out: seconds and was stopped
import numpy as np
from numba import njit


@njit
def moving_average(values, window):
    means = np.empty(values.size - window + 1)
    total, i = 0.0, 0
    while i < means.size:
        total += values[i]
        means[i] = total / window
    return means
