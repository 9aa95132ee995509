# expect: correct
import numpy as np
from numba import njit


@njit
def robust_moving_average(values, window):
    means = np.empty(values.size - window + 1)
    old, new = np.empty(window), 0.0
    left = 0
    for i in range(values.size):
        new += values[i]
        if i < window - 1:
            continue
        if left == 0:
            new = 0.0
            for k in range(window):
                old[k] = values[i - k] + (old[k - 1] if k else 0.0)
            left = window
        means[i - window + 1] = (old[left - 1] + new) / window
        left -= 1
    return means
