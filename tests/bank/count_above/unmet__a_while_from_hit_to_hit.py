# expect: unmet: elements are read one at a time
from numba import njit


@njit
def count_above(values, threshold):
    above = values > threshold
    count = place = 0
    while place < above.size:
        while place < above.size and not above[place]:
            place += 1
        if place < above.size:
            count += 1
        place += 1
    return count
