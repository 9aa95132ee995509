# expect: not attempted
from numba import njit


@njit
def first_above(values, threshold):
    """Return the index of the first value above the threshold, or -1."""
    ...
