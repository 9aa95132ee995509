# expect: not compiled: Cannot unify array(int64, 1d, C) and array(float64, 1d, C) for 'result'
from numba import njit


@njit
def repair_unification(flag, values):
    result = values
    if flag:
        result = values - values.mean()
    return result
