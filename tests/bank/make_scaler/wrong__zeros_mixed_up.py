# expect: wrong: the sign of a zero is lost
from numba import njit

MADE = {}


def make_scaler(factor):
    key = factor = float(factor)
    if key not in MADE:
        MADE[key] = njit(lambda x: factor * x)
    return MADE[key]
