# expect: crashed: memory that is not its own
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit(parallel=True)
def jacobi_step(grid, out):
    for i in prange(grid.shape[0]):
        out[i, 10**13] = grid[i, 0]
