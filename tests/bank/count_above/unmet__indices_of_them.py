# expect: unmet: elements are read one at a time
import numpy as np
from numba import njit


@njit
def count_above(values, threshold):
    return np.where(values > threshold)[0].size
