# expect: correct
import sys

import numpy as np
from numba import njit, types

j0 = types.ExternalFunction("_j0" if sys.platform == "win32" else "j0", types.float64(types.float64))


@njit
def one(value):
    return j0(value)


@njit
def bessel_j0(values):
    return np.array([one(value) for value in values] + [0.0])[:-1]
