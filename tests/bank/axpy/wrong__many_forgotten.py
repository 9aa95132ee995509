# expect: wrong: y has
from numba import njit


@njit("void(float64, float64[::1], float64[::1])")
def axpy(alpha, x, y):
    for i in range(min(y.size, 50_000)):
        y[i] += alpha * x[i]
