# expect: unmet: it reaches outside an array
import numpy as np
from numba import njit


@njit
def apply_gain(image, gain):
    factor = np.float32(gain)
    out = np.empty(image.shape, np.float32)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            out[i, j] = image[i, j] * factor
            if image[i, j + 1] == factor:
                continue
    return out
