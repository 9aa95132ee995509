# expect: correct
from numba import njit


@njit
def square(x):
    return x * x


@njit
def sum_of_squares(values):
    total, i = 0.0, values.size
    while i > 0:
        i -= 1
        total += square(values[i])
    return total
