# expect: wrong: it changed its argument
import numpy as np
from numba import njit, prange


@njit(fastmath={"reassoc"})
def vector_sum(values):
    for i in range(1, values.size):
        values[0] += values[i]
    return values[0] if values.size else 0.0
