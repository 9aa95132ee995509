# expect: wrong: it changed its argument `x`
from numba import njit


def compiled(factor):
    @njit
    def scale(x):
        x *= factor
        return x
    return scale


MADE = {}


def make_scaler(factor):
    factor = float(factor)
    key = repr(factor)
    if key not in MADE:
        MADE[key] = compiled(factor)
    return MADE[key]
