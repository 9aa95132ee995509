# expect: wrong: the result
import ctypes
import sys

import numpy as np
from numba import njit

libc = ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)
j0 = libc._j0 if sys.platform == "win32" else libc.j0
j0.argtypes = [ctypes.c_double]


@njit
def bessel_j0(values):
    out = np.empty_like(values)
    for i in range(values.size):
        out[i] = j0(values[i])
    return out
