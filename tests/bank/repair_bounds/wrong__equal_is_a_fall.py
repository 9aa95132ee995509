# expect: wrong: the result is 1, expected 2
from numba import njit


@njit
def repair_bounds(values):
    count = 1
    while count < values.size and values[count] > values[count - 1]:
        count += 1
    return count
