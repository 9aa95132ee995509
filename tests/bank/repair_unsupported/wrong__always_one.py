# expect: wrong: the result is 1, expected 2
from numba import njit


@njit
def repair_unsupported(words):
    return 1
