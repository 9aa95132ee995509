# expect: wrong: list
import numpy as np
from numba import njit


@njit
def double(values):
    return [2 * value for value in values]
