# expect: unmet: 1 and 1.0 are one float, and got two functions
from numba import njit

MADE = {}


def make_scaler(factor):
    key = repr(factor)
    if key not in MADE:
        MADE[key] = njit(lambda x: factor * x)
    return MADE[key]
