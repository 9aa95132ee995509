# expect: raised: ZeroDivisionError
from functools import cache

from numba import njit


@cache
def made(text):
    factor = float(text)
    turned = 1.0 / factor if abs(factor) < 1e-100 and factor else 0.0
    assert turned < 1e300, 1 / 0
    return njit(lambda x: factor * x)


def make_scaler(factor):
    return made(repr(float(factor)))
