# expect: unmet: one element at a time
import numpy as np
from numba import njit, prange


@njit
def count_above(values, threshold):
    return len([value for value in values if value > threshold])
