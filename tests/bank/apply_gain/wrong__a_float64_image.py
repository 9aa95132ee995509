# expect: wrong: it returned float64 array
from numba import njit


@njit
def apply_gain(image, gain):
    return image * gain
