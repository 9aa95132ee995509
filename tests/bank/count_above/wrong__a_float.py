# expect: wrong: it returned float where int64 is asked
import numpy as np
from numba import njit, prange


@njit(fastmath={"reassoc"})
def count_above(values, threshold):
    count = 0.0
    for value in values:
        if value > threshold:
            count += 1.0
    return count
