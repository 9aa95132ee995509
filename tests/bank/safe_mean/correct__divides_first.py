# expect: correct
from numba import njit


@njit
def safe_mean(values):
    mean = 0.0
    for i in range(values.size):
        mean += values[i] / values.size
    return mean
