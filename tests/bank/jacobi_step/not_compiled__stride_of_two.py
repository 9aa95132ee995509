# expect: not compiled: step
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit(parallel=True)
def jacobi_step(grid, out):
    for i in range(grid.shape[0]):
        for j in range(grid.shape[1]):
            out[i, j] = grid[i, j]
    for i in prange(1, grid.shape[0] - 1, 2):
        out[i, 1] = grid[i, 1]
