# expect: correct
import numpy as np
from numba import njit


@njit
def repair_bounds(values):
    rises = values[1:] >= values[:-1]
    falls = np.flatnonzero(~rises)
    return falls[0] + 1 if falls.size else values.size
