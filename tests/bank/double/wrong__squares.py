# expect: wrong: expected
import numpy as np
from numba import njit


@njit
def double(values):
    return values ** 2
