# expect: unmet: elements are read one at a time
from numba import njit


@njit
def count_above(values, threshold):
    above = values > threshold
    return len([i for i in range(above.size) if above[i]])
