# expect: wrong: it changed its argument `values`
import numpy as np
from numba import njit


@njit
def moving_average(values, window):
    for i in range(1, values.size):
        values[i] += values[i - 1]
    means = np.empty(values.size - window + 1)
    means[0] = values[window - 1] / window
    for i in range(1, means.size):
        means[i] = (values[i + window - 1] - values[i - 1]) / window
    return means
