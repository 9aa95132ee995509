# expect: wrong: expected
import numpy as np
from numba import njit


@njit
def moving_average(values, window):
    sums = np.empty(values.size - window + 1)
    total = 0.0
    for i in range(values.size):
        total += values[i]
        if i >= window:
            total -= values[i - window]
        if i >= window - 1:
            sums[i - window + 1] = total
    return sums
