# expect: correct
from numba import njit, prange


@njit
def alone(values):
    best = values[0]
    for value in values:
        best = max(best, value)
    return best


@njit("float64(float64[:])", parallel=True)
def parallel_max(values):
    if values.size < 1000:
        return alone(values)
    chunks = 16
    size = (values.size + chunks - 1) // chunks
    best = values[0]
    for c in prange(chunks):
        part = values[c * size : (c + 1) * size]
        if part.size:
            best = max(best, alone(part))
    return best
