# expect: raised: IndexError
import numpy as np
from numba import njit


@njit
def double(values):
    if values.size == 0:
        raise IndexError("no values")
    return 2 * values
