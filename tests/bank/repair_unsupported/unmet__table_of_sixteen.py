# expect: unmet: it reaches outside an array
import numpy as np
from numba import njit


@njit
def repair_unsupported(words):
    longest = max([len(word) for word in words])
    counts = np.zeros(1024, np.int64)[:16]
    for word in words:
        counts[len(word)] += 1
    return counts[longest]
