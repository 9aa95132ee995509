# expect: wrong: expected
import numpy as np
from numba import njit


@njit
def bilinear_resize(image, height, width):
    h, w = image.shape
    out = np.empty((height, width), image.dtype)
    for i in range(height):
        for j in range(width):
            out[i, j] = image[int((i + 0.5) * h / height), int((j + 0.5) * w / width)]
    return out
