# expect: unmet: a view made by as_strided is larger
import numpy as np
from numba import njit
from numpy.lib.stride_tricks import as_strided


@njit
def double(values):
    out = np.empty_like(values)
    longer = as_strided(values, (values.size + 1,), values.strides)
    for i in range(values.size):
        out[i] = 2 * longer[i] + 0 * (longer[i + 1] == 1.0)
    return out
