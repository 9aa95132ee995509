# expect: correct
from numba import njit


@njit
def following(n):
    return n // 2 if n % 2 == 0 else 3 * n + 1


@njit
def collatz_longest(limit):
    best = longest = 0
    for start in range(limit - 1, 0, -1):
        n, length = start, 1
        while n != 1:
            n = following(n)
            length += 1
        if length >= longest:
            best, longest = start, length
    return best
