# expect: unmet: race-free
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit(parallel=True)
def jacobi_step(grid, out):
    rows, columns = grid.shape
    for i in range(grid.shape[0]):
        for j in range(grid.shape[1]):
            out[i, j] = grid[i, j]
    for i in prange(1, rows - 1):
        for k in range(max(i - 1, 1), i + 1):
            for j in range(1, columns - 1):
                out[k, j] = (grid[k - 1, j] + grid[k + 1, j] + grid[k, j - 1] + grid[k, j + 1]) / 4
