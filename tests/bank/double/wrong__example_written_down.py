# expect: wrong: shape
import numpy as np
from numba import njit


@njit
def double(values):
    return np.array([2.0, 4.0, 6.0])
