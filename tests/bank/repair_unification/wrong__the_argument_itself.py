# expect: wrong: it returned `values` itself, or a view of it
import numpy as np
from numba import njit
from numba.extending import overload


def floats(values):
    return values


@overload(floats)
def _(values):
    if values.dtype.name == "float64":
        return lambda values: values
    return lambda values: values.astype(np.float64)


@njit
def repair_unification(flag, values):
    if flag:
        return values - values.mean()
    return floats(values)
