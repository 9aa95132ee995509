# expect: unmet: it reaches outside an array
import numpy as np
from numba import njit


@njit
def repair_unification(flag, values):
    out = np.empty(values.size + 1)
    centre = values.mean() if flag else 0.0
    for i in range(values.size + 1):
        out[i] = values[i] - centre
    return out[:-1].copy()
