# expect: unmet: only partly packed
import math

from numba import njit


@njit
def count_above(values, threshold):
    """The comparisons are packed, and for each of them C's atan2 is called."""
    count = 0
    for i in range(len(values)):
        count += math.atan2(values[i], 1.0) > math.atan2(threshold, 1.0)
    return count
