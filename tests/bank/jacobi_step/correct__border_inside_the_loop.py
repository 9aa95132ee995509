# expect: correct
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit(parallel=True)
def jacobi_step(grid, out):
    rows, columns = grid.shape
    for i in prange(rows):
        for j in range(columns):
            if i == 0 or j == 0 or i == rows - 1 or j == columns - 1:
                out[i, j] = grid[i, j]
            else:
                out[i, j] = 0.25 * (grid[i - 1, j] + grid[i + 1, j] + grid[i, j - 1] + grid[i, j + 1])
