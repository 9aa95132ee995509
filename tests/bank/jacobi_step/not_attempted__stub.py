# expect: not attempted
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit(parallel=True)
def jacobi_step(grid, out):
    """Fill `out` with the mean of the four neighbours in `grid`; the border is copied."""
