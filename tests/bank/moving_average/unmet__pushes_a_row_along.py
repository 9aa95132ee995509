# expect: unmet: its work grows with the window
import numpy as np
from numba import njit


@njit
def moving_average(values, window):
    means, last, total = np.empty(values.size - window + 1), np.zeros(window), 0.0
    for i in range(values.size):
        total += values[i] - last[0]
        last[:-1] = last[1:]
        last[-1] = values[i]
        if i >= window - 1:
            means[i - window + 1] = total / window
    return means
