# expect: wrong: the result is 2, expected 1
from numba import njit


@njit
def repair_unsupported(words):
    return max([len(word) for word in words])
