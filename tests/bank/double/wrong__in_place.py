# expect: wrong: it changed its argument `values`
import numpy as np
from numba import njit


@njit
def double(values):
    for i in range(values.size):
        values[i] *= 2
    return values
