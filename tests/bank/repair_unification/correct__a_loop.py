# expect: correct
import numpy as np
from numba import njit


@njit
def repair_unification(flag, values):
    out = np.empty(values.size)
    centre = values.mean() if flag else 0.0
    for i in range(values.size):
        out[i] = values[i] - centre
    return out
