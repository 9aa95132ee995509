# expect: unmet: the packed loop is not in the function itself, but in one that it calls
from numba import njit


@njit(fastmath=True)
def total_of(values, depth):
    total = 0.0
    if depth:
        return total_of(values, depth - 1)
    for i in range(values.size):
        total += values[i]
    return total


@njit
def vector_sum(values):
    return total_of(values, 1)
