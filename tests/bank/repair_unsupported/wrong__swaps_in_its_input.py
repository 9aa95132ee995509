# expect: wrong: it changed its argument `words`
from numba import njit


@njit
def repair_unsupported(words):
    words[0], words[-1] = words[-1], words[0]
    lengths = [len(word) for word in words]
    return lengths.count(max(lengths))
