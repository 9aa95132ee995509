# expect: wrong: expected 1
from numba import njit


@njit
def collatz_longest(limit):
    return 9
