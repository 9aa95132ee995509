# expect: correct
import numpy as np
from numba import njit


@njit
def repair_unsupported(words):
    return np.bincount(np.array([len(word) for word in words]))[-1]
