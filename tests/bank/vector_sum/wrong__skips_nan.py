# expect: wrong: the result is
import numpy as np
from numba import njit, prange


@njit(fastmath={"reassoc"})
def vector_sum(values):
    total = 0.0
    for value in values:
        if value == value:
            total += value
    return total
