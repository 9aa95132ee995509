# expect: wrong: the result
import sys

import numpy as np
from numba import njit, types

j0 = types.ExternalFunction("_j0" if sys.platform == "win32" else "j0", types.float64(types.float64))


@njit
def bessel_j0(values):
    out = np.empty(values.size)
    for i in range(values.size):
        out[i] = j0(values[i] if i < 10_000 else 0.0)
    return out
