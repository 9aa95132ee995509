# expect: correct
import numpy as np
from numba import njit


@njit
def apply_gain(image, gain):
    return image * np.float32(gain)
