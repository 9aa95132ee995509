# expect: correct
import numpy as np
from numba import njit


@njit
def block_sums(values, window):
    sums = values.copy()
    for i in range(1, values.size):
        if i % window:
            sums[i] += sums[i - 1]
    return sums


@njit
def robust_moving_average(values, window):
    whole = -(-values.size // window) * window
    padded = np.zeros(whole)
    padded[: values.size] = values
    starts, ends = block_sums(padded, window), block_sums(padded[::-1].copy(), window)[::-1]
    means = ends[: values.size - window + 1] / window
    for i in range(means.size):
        if i % window:
            means[i] = (ends[i] + starts[i + window - 1]) / window
    return means
