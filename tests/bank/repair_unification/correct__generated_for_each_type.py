# expect: correct
import numpy as np
from numba import njit


@njit
def as_floats(values):
    return np.array([float(value) for value in values])


@njit
def repair_unification(flag, values):
    floats = as_floats(values)
    return floats - np.mean(floats) if flag else floats
