# expect: correct
import numpy as np
from numba import njit


@njit
def collatz_longest(limit):
    lengths = np.ones(limit, np.int64)
    for start in range(2, limit):
        n, steps = start, 0
        while n >= start:
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            steps += 1
        lengths[start] = steps + lengths[n]
    return lengths[1:].argmax() + 1
