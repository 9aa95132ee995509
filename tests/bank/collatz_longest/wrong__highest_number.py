# expect: wrong: expected
from numba import njit


@njit
def collatz_longest(limit):
    best, highest = 1, 1
    for start in range(1, limit):
        n = top = start
        while n != 1:
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            top = max(top, n)
        if top > highest:
            best, highest = start, top
    return best
