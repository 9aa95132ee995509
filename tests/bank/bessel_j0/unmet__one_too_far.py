# expect: unmet: it reaches outside an array
import sys

import numpy as np
from numba import njit, types

j0 = types.ExternalFunction("_j0" if sys.platform == "win32" else "j0", types.float64(types.float64))


@njit
def bessel_j0(values):
    out = np.empty_like(values)
    for i in range(values.size + 1):
        value = values[i]
        if i < values.size:
            out[i] = j0(value)
    return out
