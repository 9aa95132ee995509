# expect: unmet: float64[::1] does, float64[:] does not
from numba import njit


@njit("float64(float64[:])", fastmath={"reassoc"})
def vector_sum(values):
    total = 0.0
    for i in range(values.size):
        total += values[i]
    return total
