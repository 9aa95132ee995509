# expect: not attempted
import numpy as np
from numba import njit, prange


@njit
def divide_rows(matrix, divisors, out):
    """Fill `out` with each row of `matrix` divided by its own divisor."""
    ...
