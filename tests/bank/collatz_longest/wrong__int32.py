# expect: wrong: expected 626331
import numpy as np
from numba import njit


@njit
def collatz_longest(limit):
    best, longest = 1, 1
    for start in range(2, limit):
        number, length = np.int32(start), 1
        while number > 1:
            number = np.int32(3 * number + 1) if number % 2 else np.int32(number // 2)
            length += 1
        if length > longest:
            best, longest = start, length
    return best
