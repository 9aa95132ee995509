# expect: not attempted
from numba import njit


@njit
def double(values):
    """Return a new array with twice each value."""
    ...
