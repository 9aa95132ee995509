# expect: wrong: expected
from numba import njit


@njit
def safe_mean(values):
    return (float(values.min()) + float(values.max())) / 2
