# expect: unmet: a function that it calls computes in float64
import numpy as np
from numba import njit


@njit
def product(pixel, gain):
    return np.float32(pixel * gain)


@njit
def apply_gain(image, gain):
    out = np.empty_like(image)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            out[i, j] = product(image[i, j], gain)
    return out
