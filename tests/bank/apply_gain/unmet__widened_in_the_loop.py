# expect: unmet: float32 * float64 is computed in float64
import numpy as np
from numba import njit


@njit
def apply_gain(image, gain):
    out = np.empty_like(image)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            out[i, j] = image[i, j] * gain
    return out
