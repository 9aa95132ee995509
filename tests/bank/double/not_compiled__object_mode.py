# expect: not compiled: forceobj=True
from numba import jit


@jit(forceobj=True)
def double(values):
    return 2 * values
