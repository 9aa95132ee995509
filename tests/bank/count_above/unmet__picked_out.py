# expect: unmet: elements are read one at a time
import numpy as np
from numba import njit, prange


@njit
def count_above(values, threshold):
    return values[values > threshold].size
