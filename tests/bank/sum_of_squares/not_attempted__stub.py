# expect: not attempted
from numba import njit


@njit
def sum_of_squares(values):
    """Return the sum of the squares of `values`."""
    ...
