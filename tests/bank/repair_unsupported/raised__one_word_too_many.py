# expect: raised: IndexError
from numba import njit


@njit
def repair_unsupported(words):
    longest, count = 0, 0
    for i in range(len(words) + 1):
        if len(words[i]) > longest:
            longest, count = len(words[i]), 0
        count += len(words[i]) == longest
    return count
