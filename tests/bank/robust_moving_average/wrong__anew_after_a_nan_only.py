# expect: wrong: expected
import numpy as np
from numba import njit


@njit
def robust_moving_average(values, window):
    means = np.empty(values.size - window + 1)
    total = np.nan
    for i in range(means.size):
        if i and np.isfinite(total):
            total += values[i + window - 1] - values[i - 1]
        if not np.isfinite(total):
            total = values[i : i + window].sum()
        means[i] = total / window
    return means
