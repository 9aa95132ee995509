# expect: correct
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit(parallel=True)
def largest_of(values):
    best = values[0]
    for i in prange(values.size):
        best = max(values[i], best)
    return best


@njit
def parallel_max(values):
    return largest_of(values)
