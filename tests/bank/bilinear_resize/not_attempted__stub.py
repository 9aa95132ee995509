# expect: not attempted
from numba import njit


@njit
def bilinear_resize(image, height, width): ...
