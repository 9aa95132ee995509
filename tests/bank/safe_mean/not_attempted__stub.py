# expect: not attempted
from numba import njit


@njit
def safe_mean(values):
    """Return the mean of int64 values, however large they are."""
    ...
