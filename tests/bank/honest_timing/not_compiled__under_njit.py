# expect: not compiled: compiled code cannot take a function that is not compiled
import time
from numba import njit
@njit
def honest_timing(function, *args):
    function(*args)
    start = time.perf_counter()
    function(*args)
    return time.perf_counter() - start
