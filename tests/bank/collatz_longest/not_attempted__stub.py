# expect: not attempted
from numba import njit


@njit
def collatz_longest(limit):
    """Return the smallest start with the longest chain."""
    ...
