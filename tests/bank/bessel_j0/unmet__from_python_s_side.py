# expect: unmet: calls C's j0
import sys

import numpy as np
from numba import njit, objmode, types

j0 = types.ExternalFunction("_j0" if sys.platform == "win32" else "j0", types.float64(types.float64))


def table(values):
    import ctypes

    libc = ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)
    function = libc._j0 if sys.platform == "win32" else libc.j0
    function.argtypes, function.restype = [ctypes.c_double], ctypes.c_double
    return np.array([function(value) for value in values], np.float64)


@njit
def bessel_j0(values):
    with objmode(out="float64[:]"):
        out = table(values)
    return out
