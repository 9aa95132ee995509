# expect: wrong: it reaches outside an array: index 1 is out of bounds
import numpy as np
from numba import njit
@njit
def moving_average(values, window):
    n = values.size - window + 1
    means = np.empty(n)
    for i in range(n):
        total = 0.0
        for k in range(window + 1):
            total += values[i + k]
        means[i] = total / window
    return means
