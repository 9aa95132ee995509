# expect: correct
import numpy as np
from numba import njit


@njit
def count_above(values, threshold):
    limit, count = np.array([threshold]).view(np.int64)[0], 0
    limit = limit if limit >= 0 else np.int64(-(2**63)) - limit
    infinity = np.array([np.inf]).view(np.int64)[0]
    bits = values.view(np.int64)
    if threshold != threshold:
        return 0
    for i in range(bits.size):
        key = bits[i] if bits[i] >= 0 else np.int64(-(2**63)) - bits[i]
        count += (key > limit) & (key <= infinity)
    return count
