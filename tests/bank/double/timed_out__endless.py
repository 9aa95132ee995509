# expect: timed out: seconds and was stopped
import numpy as np
from numba import njit


@njit
def double(values):
    i = 0
    while i < 10:
        i -= 1
    return 2 * values
