# expect: raised: too many
from numba import njit


@njit
def double(values):
    if values.size > 500:
        raise ValueError("too many")
    return values * 2
