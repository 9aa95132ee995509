# expect: correct
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit(parallel=True)
def jacobi_step(grid, out):
    out[:] = grid
    out[1:-1, 1:-1] = (grid[:-2, 1:-1] + grid[2:, 1:-1] + grid[1:-1, :-2] + grid[1:-1, 2:]) / 4
