# expect: not compiled: plain Python function
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


def parallel_max(values):
    return values.max()
