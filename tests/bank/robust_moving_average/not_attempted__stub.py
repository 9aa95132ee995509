# expect: not attempted
from numba import njit


@njit
def robust_moving_average(values, window): ...
