# expect: correct
from numba import njit


@njit
def safe_mean(values):
    return values.mean()
