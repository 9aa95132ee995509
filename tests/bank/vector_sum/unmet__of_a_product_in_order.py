# expect: unmet: most of the additions are done one at a time
import numpy as np
from numba import njit, prange


@njit
def vector_sum(values):
    return np.sum(values * 2.0) / 2.0
