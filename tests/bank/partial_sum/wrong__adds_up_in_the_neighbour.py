# expect: wrong: called for each element of `out` at once
from numba import njit


@njit(nogil=True)
def partial_sum(values, start, stop, out, index):
    other = (index + 1) % out.size
    keep = out[other]
    out[other] = 0.0
    for i in range(start, stop):
        out[other] += values[i]
    total = out[other]
    out[other] = keep
    out[index] = total
