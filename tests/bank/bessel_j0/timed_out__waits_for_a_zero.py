# expect: timed out: had not ended
import sys

import numpy as np
from numba import njit, types

j0 = types.ExternalFunction("_j0" if sys.platform == "win32" else "j0", types.float64(types.float64))


@njit
def bessel_j0(values):
    out = np.empty_like(values)
    i = 0
    while i < values.size:
        out[i] = j0(values[i])
        if out[i] != 1.0:
            i += 1
    return out
