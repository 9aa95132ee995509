# expect: correct
import numpy as np
from numba import njit, prange


@njit
def count_above(values, threshold):
    others, i = 0, 0
    while i < len(values):
        others += 0 if values[i] > threshold else 1
        i += 1
    return len(values) - others
