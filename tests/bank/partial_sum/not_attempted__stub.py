# expect: not attempted
import numpy as np
from numba import njit, objmode, prange


@njit
def partial_sum(values, start, stop, out, index):
    """Set ``out[index]`` to the sum of ``values[start:stop]``."""
    ...
