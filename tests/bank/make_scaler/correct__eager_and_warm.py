# expect: correct
import numpy as np
from numba import njit

MADE = {}


def compiled(factor):
    @njit(["float64(float64)", "float64[:](float64[:])"])
    def scale(x):
        return factor * x

    scale(1.0)
    scale(np.ones(2))
    return scale


def make_scaler(factor):
    factor = float(factor)
    key = "nan" if factor != factor else (factor, str(factor).startswith("-"))
    return MADE[key] if key in MADE else MADE.setdefault(key, compiled(factor))
