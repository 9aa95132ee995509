# expect: not attempted
import numpy as np
from numba import float64, guvectorize, int64, njit, prange, types, vectorize


@njit
def axpy(alpha, x, y):
    """Add `alpha` times `x` to `y`, in place."""
    ...
