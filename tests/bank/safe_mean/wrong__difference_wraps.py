# expect: wrong: expected
from numba import njit


@njit
def safe_mean(values):
    rest = 0.0
    for value in values:
        rest += value - values[0]
    return values[0] + rest / values.size
