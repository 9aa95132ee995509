# expect: correct
import numpy as np
from numba import njit


@njit
def sums(values, window):
    total = 0.0
    for i in range(len(values)):
        total += values[i]
        if i >= window:
            total -= values[i - window]
        if i >= window - 1:
            yield total


@njit
def moving_average(values, window):
    means = np.empty(values.size - window + 1)
    for i, total in enumerate(sums(values, window)):
        means[i] = total / window
    return means
