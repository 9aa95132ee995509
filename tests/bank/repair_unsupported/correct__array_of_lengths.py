# expect: correct
import numpy as np
from numba import njit


@njit
def repair_unsupported(words):
    lengths = np.array([len(word) for word in words])
    return (lengths == lengths.max()).sum()
