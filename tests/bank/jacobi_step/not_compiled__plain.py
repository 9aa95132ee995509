# expect: not compiled: plain Python function
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


def jacobi_step(grid, out):
    for i in range(grid.shape[0]):
        for j in range(grid.shape[1]):
            out[i, j] = grid[i, j]
    out[1:-1, 1:-1] = (grid[:-2, 1:-1] + grid[2:, 1:-1] + grid[1:-1, :-2] + grid[1:-1, 2:]) / 4
