# expect: not compiled: plain Python function
import numpy as np
from numba import njit, prange


def count_above(values, threshold):
    return int((values > threshold).sum())
