# expect: correct
import numpy as np
from numba import njit


@njit
def sum_of_squares(values):
    return np.dot(values, values)
