# expect: wrong: the result is
import numpy as np
from functools import cache
from numba import njit
@cache
def made(k):
    f = float.fromhex(k)
    @njit
    def scale(x):
        return np.abs(f) * x if f < 0 else f * x
    return scale
def make_scaler(factor):
    return made(float(factor).hex())
