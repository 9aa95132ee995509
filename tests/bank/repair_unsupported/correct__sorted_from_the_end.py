# expect: correct
from numba import njit


@njit
def repair_unsupported(words):
    lengths = sorted([len(word) for word in words])
    i = len(lengths) - 1
    while i >= 0 and lengths[i] == lengths[-1]:
        i -= 1
    return len(lengths) - 1 - i
