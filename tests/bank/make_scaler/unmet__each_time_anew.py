# expect: unmet: 0.1 and 0.1 are one float, and got two functions
from numba import njit


def make_scaler(factor):
    factor = float(factor)
    return njit(lambda x: factor * x)
