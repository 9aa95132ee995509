# expect: wrong: expected
import numpy as np
from numba import njit


@njit
def moving_average(values, window):
    means = np.empty(values.size - window + 1)
    total = np.float32(0)
    for i in range(values.size):
        total += np.float32(values[i])
        if i >= window:
            total -= np.float32(values[i - window])
        if i >= window - 1:
            means[i - window + 1] = total / window
    return means
