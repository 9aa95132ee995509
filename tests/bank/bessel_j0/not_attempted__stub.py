# expect: not attempted
from numba import njit


@njit
def bessel_j0(values): ...
