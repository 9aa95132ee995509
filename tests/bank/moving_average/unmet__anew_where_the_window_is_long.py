# expect: unmet: its work grows with the window
import numpy as np
from numba import njit


@njit
def moving_average(values, window):
    means = np.empty(values.size - window + 1)
    total = values[:window].sum()
    means[0] = total / window
    for i in range(1, means.size):
        total += values[i + window - 1] - values[i - 1]
        means[i] = (total if window <= 100 else values[i : i + window].sum()) / window
    return means
