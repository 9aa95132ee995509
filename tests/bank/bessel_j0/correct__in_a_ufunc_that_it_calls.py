# expect: correct

import numpy as np
from numba import guvectorize, njit, types

cj0 = types.ExternalFunction("j0", types.float64(types.float64))


@guvectorize(["void(float64[:], float64[:])"], "(n)->(n)")
def j0s(v, out):
    for i in range(v.size):
        out[i] = cj0(v[i])


@njit
def bessel_j0(values):
    out = np.empty(values.size)
    j0s(values, out)
    return out
