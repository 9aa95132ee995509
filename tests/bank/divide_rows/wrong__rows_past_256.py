# expect: wrong: out has
from numba import njit


@njit(error_model="numpy")
def divide_rows(matrix, divisors, out):
    for i in range(min(matrix.shape[0], 256)):
        for j in range(matrix.shape[1]):
            out[i, j] = matrix[i, j] / divisors[i]
