# expect: wrong: it changed its argument `values`
from numba import njit


@njit
def moving_average(values, window):
    for i in range(1, values.size):
        values[i] += values[i - 1]
    means = values[window - 1 :] / window
    means[1:] -= values[:-window] / window
    return means
