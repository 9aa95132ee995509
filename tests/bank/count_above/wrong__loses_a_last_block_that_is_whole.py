# expect: wrong: expected 8190
from numba import njit


@njit
def count_above(values, threshold):
    n = values.size
    c = 0
    for b in range((n - 1) // 32 if n else 0):
        for k in range(32):
            c += values[b * 32 + k] > threshold
    for i in range(n - n % 32, n):
        c += values[i] > threshold
    return c
