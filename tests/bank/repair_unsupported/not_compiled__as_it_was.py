# expect: not compiled: The use of yield in a closure is unsupported
from numba import njit


@njit
def repair_unsupported(words):
    longest = max(words, key=len)
    return sum(len(word) == len(longest) for word in words)
