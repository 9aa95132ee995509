# expect: timed out: seconds and was stopped
from numba import njit


@njit
def repair_bounds(values):
    count, before = 1, values[0]
    while True:
        if count < values.size:
            if not values[count] >= before:
                return count
            before = values[count]
        count = min(count + 1, values.size)
