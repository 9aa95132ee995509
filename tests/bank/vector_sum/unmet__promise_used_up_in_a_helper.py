# expect: unmet: its LLVM IR says nnan
from numba import njit


@njit(fastmath={"nnan"})
def is_number(value):
    return value == value


@njit(fastmath={"reassoc"})
def vector_sum(values):
    total = 0.0
    for i in range(values.size):
        total += values[i]
    return total if is_number(values[0] if values.size else 0.0) else total + 0.0
