# expect: timed out: seconds and was stopped
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit(parallel=True)
def jacobi_step(grid, out):
    for i in range(grid.shape[0]):
        for j in range(grid.shape[1]):
            out[i, j] = grid[i, j]
    for i in prange(grid.shape[0]):
        j = 0
        while j < grid.shape[1]:
            out[i, j] = grid[i, j]
