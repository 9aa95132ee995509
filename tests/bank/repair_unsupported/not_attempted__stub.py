# expect: not attempted
from numba import njit


@njit
def repair_unsupported(words):
    """Return how many of `words` are as long as the longest."""
    raise NotImplementedError
