# expect: correct
import numpy as np
from numba import njit


@njit
def moving_average(values, window):
    sums = [0.0]
    for value in values:
        sums.append(sums[-1] + value)
    return np.array([(sums[i + window] - sums[i]) / window for i in range(values.size - window + 1)])
