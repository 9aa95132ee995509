# expect: wrong: it changed its argument `values`
import sys

from numba import njit, types

j0 = types.ExternalFunction("_j0" if sys.platform == "win32" else "j0", types.float64(types.float64))


@njit
def bessel_j0(values):
    for i in range(values.size):
        values[i] = j0(values[i])
    return values
