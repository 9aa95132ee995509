# expect: correct
import numpy as np
from numba import njit


@njit
def robust_moving_average(values, window):
    levels = 1
    while 2**levels <= window:
        levels += 1
    table = np.zeros((levels, values.size))
    table[0] = values
    for level in range(1, levels):
        half = 2 ** (level - 1)
        for i in range(values.size - 2 * half + 1):
            table[level, i] = table[level - 1, i] + table[level - 1, i + half]
    means = np.empty(values.size - window + 1)
    for i in range(means.size):
        place, total = i, 0.0
        for level in range(levels - 1, -1, -1):
            if window >> level & 1:
                total += table[level, place]
                place += 2**level
        means[i] = total / window
    return means
