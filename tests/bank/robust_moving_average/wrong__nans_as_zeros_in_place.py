# expect: wrong: it changed its argument `values`
import numpy as np
from numba import njit


@njit
def robust_moving_average(values, window):
    for i in range(values.size):
        if np.isnan(values[i]):
            values[i] = 0.0
    means = np.empty(values.size - window + 1)
    for i in range(means.size):
        means[i] = values[i : i + window].sum() / window
    return means
