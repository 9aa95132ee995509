# expect: correct
from numba import njit


@njit
def repair_unsupported(words):
    lengths = [len(word) for word in words]
    return lengths.count(max(lengths))
