# expect: correct
import numpy as np
from numba import njit


@njit
def moving_average(values, window):
    means = np.empty(len(values) - window + 1)
    for start in range(0, means.size, window):
        total = values[start : start + window].sum()
        means[start] = total / window
        for i in range(start + 1, min(start + window, means.size)):
            total = total - values[i - 1] + values[i + window - 1]
            means[i] = total / window
    return means
