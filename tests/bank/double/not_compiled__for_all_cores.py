# expect: not compiled: a ufunc whose code cannot be looked at
from numba import vectorize


@vectorize(["float64(float64)"], target="parallel")
def double(value):
    return 2 * value
