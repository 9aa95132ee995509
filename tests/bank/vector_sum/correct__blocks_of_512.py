# expect: correct
import numpy as np
from numba import njit, prange


@njit(fastmath={"reassoc"})
def vector_sum(values):
    lanes, n = np.zeros(512), values.size
    for start in range(0, n - n % 512, 512):
        for k in range(512):
            lanes[k] += values[start + k]
    total = 0.0
    for k in range(512):
        total += lanes[k]
    for i in range(n - n % 512, n):
        total += values[i]
    return total
