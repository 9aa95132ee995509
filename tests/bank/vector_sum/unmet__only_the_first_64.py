# expect: unmet: one element at a time
import numpy as np
from numba import njit, prange


@njit(fastmath={"reassoc"})
def head(values):
    total = 0.0
    for i in range(values.size):
        total += values[i]
    return total


@njit
def vector_sum(values):
    total = head(values[:64])
    for i in range(64, values.size):
        total += values[i]
    return total
