# expect: not attempted
from numba import njit


@njit
def repair_unification(flag, values):
    """Return a new float64 array: the deviations from the mean if `flag`, else the values."""
    ...
