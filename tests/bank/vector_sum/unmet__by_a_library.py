# expect: unmet: no arithmetic on several elements at a time
import numpy as np
from numba import njit


@njit
def vector_sum(values):
    return np.dot(values, np.ones(values.size))
