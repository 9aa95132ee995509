# expect: not attempted
from numba import njit


@njit
def repair_bounds(values):
    """Return how many values come before the first fall."""
    ...
