# expect: unmet: its work grows with the window
import numpy as np
from numba import njit


@njit
def moving_average(values, window):
    means = np.empty(values.size - window + 1)
    for i in range(means.size):
        means[i] = values[i : i + window].mean()
    return means
