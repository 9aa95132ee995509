# expect: timed out: seconds and was stopped
from numba import njit


@njit
def sum_of_squares(values):
    total, i = 0.0, 0
    while i < values.size:
        total += values[i] * values[i]
        i += 1 if total < 0 else 0
    return total
