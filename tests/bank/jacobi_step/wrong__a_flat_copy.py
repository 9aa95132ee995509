# expect: wrong: out
from numba import njit, prange


@njit(parallel=True)
def jacobi_step(grid, out):
    rows, columns = grid.shape
    before, flat = grid.ravel(), out.ravel()
    for k in prange(before.size):
        i, j = k // columns, k % columns
        if 0 < i < rows - 1 and 0 < j < columns - 1:
            flat[k] = (before[k - columns] + before[k + columns] + before[k - 1] + before[k + 1]) / 4
        else:
            flat[k] = before[k]
