# expect: wrong: expected
import numpy as np
from numba import njit


@njit
def robust_moving_average(values, window):
    means = np.empty(values.size - window + 1)
    total = 0.0
    for i in range(window):
        total += values[i]
    means[0] = total / window
    for i in range(1, means.size):
        total += values[i + window - 1] - values[i - 1]
        means[i] = total / window
    return means
