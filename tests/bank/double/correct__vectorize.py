# expect: correct
from numba import vectorize


@vectorize
def double(value):
    return 2 * value
