# expect: correct
import numpy as np
from numba import njit


@njit
def robust_moving_average(values, window):
    means = np.zeros(values.size - window + 1)
    sums, at, span = values.copy(), 0, 1
    while span <= window:
        if window & span:
            means += sums[at : at + means.size]
            at += span
        sums = sums[:-span] + sums[span:] if sums.size > span else sums
        span *= 2
    return means / window
