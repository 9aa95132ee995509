# expect: wrong: the result is
from numba import njit


@njit
def repair_unification(flag, values):
    return values - values.mean()
