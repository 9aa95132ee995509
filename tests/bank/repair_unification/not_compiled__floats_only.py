# expect: not compiled: only, not for (bool, array(int64
from numba import njit


@njit("float64[:](boolean, float64[:])")
def repair_unification(flag, values):
    result = values.copy()
    if flag:
        result = values - values.mean()
    return result
