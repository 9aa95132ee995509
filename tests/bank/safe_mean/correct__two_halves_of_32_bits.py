# expect: correct
from numba import njit


@njit
def safe_mean(values):
    high, low = 0, 0
    for value in values:
        high += value >> 32
        low += value & 0xFFFFFFFF
    return (high * 2.0**32 + low) / values.size
