# expect: unmet: is computed in float64
import numpy as np
from numba import njit


@njit
def apply_gain(image, gain):
    return (image * gain).astype(np.float32)
