# expect: not attempted
from numba import njit


@njit
def apply_gain(image, gain):
    """Return a new float32 image: each pixel times `gain`."""
    ...
