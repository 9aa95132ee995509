# expect: wrong: it changed its argument `words`
from numba import njit


@njit
def repair_unsupported(words):
    words.sort()
    lengths = [len(word) for word in words]
    return lengths.count(max(lengths))
