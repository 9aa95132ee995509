# expect: not compiled: Numba cannot compile it
from numba import njit
from scipy import special


@njit
def bessel_j0(values):
    return special.j0(values)
