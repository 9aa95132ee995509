# expect: unmet: nan and nan are one float, and got two functions
from numba import njit

MADE = {}


def make_scaler(factor):
    factor = float(factor)
    key = (factor, str(factor)[0])
    if key not in MADE:
        MADE[key] = njit(lambda x: factor * x)
    return MADE[key]
