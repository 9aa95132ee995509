# expect: wrong: expected
from numba import njit


@njit
def apply_gain(image, gain):
    return image.copy()
