# expect: wrong: the result has 0.0 at [64, 0]
import numpy as np
from numba import njit


@njit
def apply_gain(image, gain):
    factor = np.float32(gain)
    out = np.zeros_like(image)
    for i in range(min(image.shape[0], 64)):
        for j in range(image.shape[1]):
            out[i, j] = image[i, j] * factor
    return out
