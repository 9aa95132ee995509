# expect: wrong: the result is
from numba import njit


@njit
def repair_unsupported(words):
    longest, count = 0, 0
    for word in words:
        if len(word) >= longest:
            longest = len(word)
            count += 1
    return count
