# expect: unmet: packed only for elements one byte apart
from numba import njit


@njit(fastmath={"reassoc"})
def vector_sum(values):
    total = 0.0
    for value in values:
        total += value
    return total
