# expect: not attempted
from numba import njit


@njit
def moving_average(values, window): ...
