# expect: wrong: it changed its argument `image`
import numpy as np
from numba import njit


@njit
def apply_gain(image, gain):
    factor = np.float32(gain)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            image[i, j] *= factor
    return image
