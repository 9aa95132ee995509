# expect: unmet: what it calls takes it back
import numba
from numba import njit


@njit
def note(total):
    with numba.objmode():
        str(total)


@njit(nogil=True)
def partial_sum(values, start, stop, out, index):
    total = 0.0
    for i in range(start, stop):
        total += values[i]
    out[index] = total
    note(total)
