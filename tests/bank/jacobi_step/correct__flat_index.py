# expect: correct
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit(parallel=True)
def jacobi_step(grid, out):
    rows, columns = grid.shape
    for cell in prange(rows * columns):
        i, j = cell // columns, cell % columns
        if 0 < i < rows - 1 and 0 < j < columns - 1:
            out[i, j] = (grid[i - 1, j] + grid[i + 1, j] + grid[i, j - 1] + grid[i, j + 1]) / 4
        else:
            out[i, j] = grid[i, j]
