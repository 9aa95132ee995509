# expect: unmet: it reaches outside an array
import numpy as np
from numba import njit


@njit
def moving_average(values, window):
    means = np.empty(values.size - window + 1)
    total = 0.0
    for i in range(window):
        total += values[i]
    for i in range(means.size):
        means[i] = total / window
        total += values[i + window] - values[i]
    return means
