# expect: correct

import numpy as np
from numba import njit


@njit
def repair_unification(flag, values):
    result = np.empty(values.size, np.float64)
    for i in range(values.size):
        if flag:
            result[i] = values[i] - values.mean()
        else:
            result[i] = values[i]
    return result
