# expect: correct
from numba import njit, prange


@njit(parallel=True)
def jacobi_step(grid, out):
    old = grid.copy()
    out[:] = old
    for i in prange(1, old.shape[0] - 1):
        for j in range(1, old.shape[1] - 1):
            out[i, j] = (old[i - 1, j] + old[i + 1, j] + old[i, j - 1] + old[i, j + 1]) / 4
