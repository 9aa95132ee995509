# expect: not attempted
import numpy as np
from numba import njit, prange


@njit
def vector_sum(values):
    """Return the sum of `values`, added in any order."""
    ...
