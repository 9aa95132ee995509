# expect: unmet: after 20,000 other factors, a function was made anew
from functools import lru_cache

from numba import njit


@lru_cache
def made(text):
    factor = float(text)
    return njit(lambda x: factor * x)


def make_scaler(factor):
    return made(repr(float(factor)))
