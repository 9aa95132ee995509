# expect: wrong: expected -9.22
from numba import njit


@njit
def safe_mean(values):
    n = values.size
    quotients, remainders = 0, 0
    for value in values:
        quotients += value // n
        remainders += value % n
    return quotients + remainders / n
