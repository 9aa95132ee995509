# expect: wrong: it returned a tuple where a float64 array, 1-D is asked
import numpy as np
from numba import njit


@njit
def double(values):
    return np.zeros(2), np.zeros(3)
