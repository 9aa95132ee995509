# expect: unmet: allocates memory once
from numba import njit


@njit
def normalise_into(image, mean, std, out):
    out[:] = (image - mean) / std
