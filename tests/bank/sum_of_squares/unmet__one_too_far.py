# expect: unmet: it reaches outside an array
from numba import njit


@njit
def sum_of_squares(values):
    total = 0.0
    for i in range(values.size + 1):
        if values[i] == values[i] and i == values.size:
            break
        if i < values.size:
            total += values[i] * values[i]
    return total
