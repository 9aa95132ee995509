# expect: unmet: one thread alone does
from numba import njit


@njit(parallel=True)
def jacobi_step(grid, out):
    old = grid + 0.0
    rows, columns = grid.shape
    for i in range(rows):
        for j in range(columns):
            if 0 < i < rows - 1 and 0 < j < columns - 1:
                out[i, j] = (old[i - 1, j] + old[i + 1, j] + old[i, j - 1] + old[i, j + 1]) / 4
            else:
                out[i, j] = old[i, j]
