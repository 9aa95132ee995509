# expect: wrong: the result
import numpy as np
from numba import njit

MADE = {}


def make_scaler(factor):
    factor = np.float32(factor)
    key = repr(factor)
    if key not in MADE:
        MADE[key] = njit(lambda x: factor * x)
    return MADE[key]
