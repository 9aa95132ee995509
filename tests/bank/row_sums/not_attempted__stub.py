# expect: not attempted
import numpy as np
from numba import float64, njit, types


def row_sums(matrix):
    """Return the sum of each row as float64."""
    ...
