# expect: unmet: Optional(int64)
from numba import njit


@njit
def first_above(values, threshold):
    found = None
    for i in range(values.size):
        if values[i] > threshold:
            found = i
            break
    if found is None:
        return -1
    return found
