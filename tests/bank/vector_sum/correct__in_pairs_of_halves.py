# expect: correct
import numpy as np
from numba import njit, prange


@njit(fastmath={"reassoc"})
def few(values):
    total = 0.0
    for i in range(values.size):
        total += values[i]
    return total


@njit
def vector_sum(values):
    if values.size <= 512:
        return few(values)
    middle = values.size // 2
    return vector_sum(values[:middle]) + vector_sum(values[middle:])
