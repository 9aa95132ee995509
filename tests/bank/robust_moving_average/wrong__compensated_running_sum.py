# expect: wrong: expected
import numpy as np
from numba import njit


@njit
def robust_moving_average(values, window):
    means = np.empty(values.size - window + 1)
    total = lost = 0.0
    for i in range(values.size + window):
        x = values[i] if i < values.size else 0.0
        for term in (x, -values[i - window] if i >= window else 0.0):
            larger = total + term
            lost += (total - larger) + term if abs(total) >= abs(term) else (term - larger) + total
            total = larger
        if window - 1 <= i < values.size:
            means[i - window + 1] = (total + lost) / window
    return means
