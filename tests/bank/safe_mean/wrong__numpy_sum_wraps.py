# expect: wrong: expected 9.22337e+18
from numba import njit


@njit
def safe_mean(values):
    return values.sum() / values.size
