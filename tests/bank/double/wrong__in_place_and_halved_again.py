# expect: wrong: it changed its argument `values`
from numba import njit


@njit
def double(values):
    values *= 2
    out = values.copy()
    values /= 2  # what became infinite stays so
    return out
