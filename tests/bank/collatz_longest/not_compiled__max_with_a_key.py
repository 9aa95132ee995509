# expect: not compiled: Numba cannot compile it
from numba import njit


@njit
def length(n):
    steps = 1
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


@njit
def collatz_longest(limit):
    return max(range(1, limit), key=length)
