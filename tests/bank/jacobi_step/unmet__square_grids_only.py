# expect: unmet: it reaches outside an array
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit(parallel=True)
def jacobi_step(grid, out):
    for i in range(grid.shape[0]):
        for j in range(grid.shape[1]):
            out[i, j] = grid[i, j]
    n = grid.shape[0]
    for i in prange(1, n - 1):
        for j in range(1, grid.shape[1] - 1):
            sides = grid[i, j - 1] + grid[i, j + 1]
            out[i, j] = (grid[i - 1, j] + grid[i + 1, j] + sides + 0 * np.isnan(grid[n, j])) / 4
