# expect: unmet: parallel=True is missing
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit
def parallel_max(values):
    best = values[0]
    for value in values:
        best = max(best, value)
    return best
