# expect: correct
from numba import njit
@njit
def part(values, a, b):
    if b - a == 0:
        return 0.0
    if b - a == 1:
        return values[a] * values[a]
    middle = (a + b) // 2
    return part(values, a, middle) + part(values, middle, b)
@njit
def sum_of_squares(values):
    return part(values, 0, len(values))
