# expect: unmet: one thread alone does
from numba import njit, prange


@njit(parallel=True)
def jacobi_step(grid, out):
    rows, columns = grid.shape
    for i in prange(rows):
        for j in range(columns):
            out[i, j] = grid[i, j]
    for i in range(1, rows - 1):
        for j in range(1, columns - 1):
            out[i, j] = (grid[i - 1, j] + grid[i + 1, j] + grid[i, j - 1] + grid[i, j + 1]) / 4
