# expect: correct
from numba import njit


@njit
def best(words, i, longest, count):
    if i == len(words):
        return count
    if len(words[i]) > longest:
        return best(words, i + 1, len(words[i]), 1)
    return best(words, i + 1, longest, count + (len(words[i]) == longest))


@njit
def repair_unsupported(words):
    return best(words, 0, -1, 0)
