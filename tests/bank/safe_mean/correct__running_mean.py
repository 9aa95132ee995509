# expect: correct
import numpy as np
from numba import njit


@njit
def safe_mean(values):
    mean = np.float64(values[0])
    for i in range(1, len(values)):
        mean += (float(values[i]) - mean) / (i + 1)
    return mean
