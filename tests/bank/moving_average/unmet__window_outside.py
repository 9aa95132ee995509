# expect: unmet: its work grows with the window
import numpy as np
from numba import njit


@njit
def moving_average(values, window):
    means = np.zeros(values.size - window + 1)
    for k in range(window):
        means += values[k : k + means.size]
    return means / window
