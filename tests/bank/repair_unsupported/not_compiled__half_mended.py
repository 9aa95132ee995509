# expect: not compiled: longest = max(words, key=len)
from numba import njit


@njit
def repair_unsupported(words):
    longest = max(words, key=len)
    count = 0
    for word in words:
        count += len(word) == len(longest)
    return count
