# expect: wrong: shape
import numpy as np
from numba import njit


@njit
def moving_average(values, window):
    means = np.empty(values.size - window)
    total = values[:window].sum()
    for i in range(means.size):
        means[i] = total / window
        total += values[i + window] - values[i]
    return means
