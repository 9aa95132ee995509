# expect: unmet: packed only for elements that lie 1 byte apart
from numba import njit


@njit(fastmath={"reassoc"})
def vector_sum(values):
    total = 0.0
    for value in values:
        total += value
    return total
