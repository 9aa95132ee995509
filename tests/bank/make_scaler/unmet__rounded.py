# expect: unmet: are two floats, and got one function
from numba import njit

MADE = {}


def make_scaler(factor):
    factor = float(factor)
    key = f"{factor:.6g}"
    if key not in MADE:
        MADE[key] = njit(lambda x: factor * x)
    return MADE[key]
