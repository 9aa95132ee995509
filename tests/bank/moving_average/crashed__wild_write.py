# expect: crashed: memory that is not its own
import numpy as np
from numba import njit


@njit
def moving_average(values, window):
    means = np.empty(values.size - window + 1)
    for i in range(means.size):
        means[i + 10**13] = values[i]
    return means
