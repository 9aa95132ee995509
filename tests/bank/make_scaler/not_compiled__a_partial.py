# expect: not compiled: but a plain Python function
from functools import cache, partial

from numba import njit


@njit
def multiply(factor, x):
    return factor * x


@cache
def made(text):
    return partial(multiply, float(text))


def make_scaler(factor):
    return made(repr(float(factor)))
