# expect: correct
from numba import njit


@njit
def repair_unification(flag, values):
    if flag:
        return values - values.sum() / len(values)
    return values * 1.0
