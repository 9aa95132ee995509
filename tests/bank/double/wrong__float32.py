# expect: wrong: float32 array
import numpy as np
from numba import njit


@njit
def double(values):
    return (2 * values).astype(np.float32)
