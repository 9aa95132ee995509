# expect: unmet: -1.0 and -2.0 are two floats
import math

from numba import njit

MADE = {}


def make_scaler(factor):
    factor = float(factor)
    key = "nan" if math.isnan(factor) else (hash(factor), math.copysign(1.0, factor))
    if key not in MADE:
        MADE[key] = njit(lambda x: factor * x)
    return MADE[key]
