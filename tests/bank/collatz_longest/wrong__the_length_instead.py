# expect: wrong: expected
from numba import njit


@njit
def collatz_longest(limit):
    longest = 0
    for start in range(1, limit):
        n, steps = start, 1
        while n != 1:
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            steps += 1
        longest = max(longest, steps)
    return longest
