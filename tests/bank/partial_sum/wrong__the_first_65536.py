# expect: wrong: out
from numba import njit


@njit(nogil=True)
def partial_sum(values, start, stop, out, index):
    total = 0.0
    for i in range(start, min(stop, 65_536)):
        total += values[i]
    out[index] = total
