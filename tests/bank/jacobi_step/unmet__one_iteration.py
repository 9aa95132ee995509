# expect: unmet: one of 4 threads does nearly all
from numba import njit, prange


@njit(parallel=True)
def jacobi_step(grid, out):
    rows, columns = grid.shape
    for _ in prange(1):
        out[:] = grid
        for i in range(1, rows - 1):
            for j in range(1, columns - 1):
                out[i, j] = (grid[i - 1, j] + grid[i + 1, j] + grid[i, j - 1] + grid[i, j + 1]) / 4
