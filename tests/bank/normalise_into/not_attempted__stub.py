# expect: not attempted
from numba import njit


@njit
def normalise_into(image, mean, std, out): ...
