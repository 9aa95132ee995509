# expect: raised: not enough arguments
from numba import njit


@njit
def multiply(factor, x):
    return factor * x


def make_scaler(factor):
    return multiply(factor)
