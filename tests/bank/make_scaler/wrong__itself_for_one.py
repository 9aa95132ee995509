# expect: wrong: it returned its argument `x`
from functools import cache

from numba import njit


@cache
def made(text):
    factor = float.fromhex(text)
    if factor == 1.0:
        return njit(lambda x: x)
    return njit(lambda x: factor * x)


def make_scaler(factor):
    return made(float(factor).hex())
