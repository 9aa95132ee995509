# expect: not attempted
import numpy as np
from numba import njit, prange


@njit
def count_above(values, threshold):
    """Return how many of `values` are larger than `threshold`."""
    ...
