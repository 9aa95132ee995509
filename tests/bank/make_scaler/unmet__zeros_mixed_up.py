# expect: unmet: 0.0 and -0.0 are two floats
from numba import njit

MADE = {}


def make_scaler(factor):
    factor = float(factor)
    key = factor if factor == factor else "nan"
    if key not in MADE:
        MADE[key] = njit(lambda x: factor * x)
    return MADE[key]
