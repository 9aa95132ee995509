# expect: not compiled: Numba cannot compile it
import numpy as np
from numba import njit


@njit
def sum_of_squares(values):
    return np.einsum("i,i", values, values)
