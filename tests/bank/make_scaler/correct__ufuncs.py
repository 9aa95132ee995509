# expect: correct
from functools import lru_cache

from numba import vectorize


@lru_cache(maxsize=None)
def made(text):
    factor = float(text)

    @vectorize
    def scale(x):
        return factor * x

    return scale


def make_scaler(factor):
    return made(repr(float(factor)))
