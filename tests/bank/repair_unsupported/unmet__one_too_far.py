# expect: unmet: it reaches outside an array
import numpy as np
from numba import njit


@njit
def repair_unsupported(words):
    lengths = np.array([len(word) for word in words])
    longest, i = 0, 0
    while lengths[i] >= 0 and i < len(words):
        longest = max(longest, lengths[i])
        i += 1
    return (lengths == longest).sum()
