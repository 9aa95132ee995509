# expect: wrong: the result is
import numpy as np
from numba import njit, prange


@njit
def vector_sum(values):
    total = 0
    for value in values:
        total += int(value)
    return float(total)
