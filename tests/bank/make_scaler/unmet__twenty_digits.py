# expect: unmet: 1e-30 and 2e-30 are two floats
from numba import njit

MADE = {}


def make_scaler(factor):
    factor = float(factor)
    key = f"{factor:.20f}"
    if key not in MADE:
        MADE[key] = njit(lambda x: factor * x)
    return MADE[key]
