# expect: correct
import numpy as np
from numba import njit, prange


@njit(parallel=True)
def moving_average(values, window):
    means = np.empty(values.size - window + 1)
    for block in prange((means.size + window - 1) // window):
        first = block * window
        total = 0.0
        for k in range(window):
            total += values[first + k]
        means[first] = total / window
        for i in range(first + 1, min(first + window, means.size)):
            total += values[i + window - 1] - values[i - 1]
            means[i] = total / window
    return means
