# expect: wrong: expected 1
from numba import njit


@njit
def repair_unsupported(words):
    return len(words)
