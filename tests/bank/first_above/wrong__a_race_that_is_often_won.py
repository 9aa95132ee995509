# expect: wrong: which iteration

import numpy as np
from numba import njit, prange


@njit(parallel=True)
def first_above(values, threshold):
    w = np.full(1, -1)
    for i in prange(values.size):
        if values[i] > threshold:
            if w[0] == -1 or i < w[0]:
                w[0] = i
    return w[0]
