# expect: unmet: allocates memory 1 times
from numba import njit


@njit
def normalise_into(image, mean, std, out):
    out[:] = (image - mean) / std
