# expect: wrong: it changed its argument `values`
from numba import njit


@njit
def repair_unification(flag, values):
    result = values * 1.0
    if flag:
        result -= values.mean()
        values[0] += 1
    return result
