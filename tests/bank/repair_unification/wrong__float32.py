# expect: wrong: float32
import numpy as np
from numba import njit


@njit
def repair_unification(flag, values):
    result = values.astype(np.float32)
    if flag:
        result -= np.float32(values.mean())
    return result
