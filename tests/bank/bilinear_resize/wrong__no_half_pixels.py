# expect: wrong: expected
import numpy as np
from numba import njit


@njit
def bilinear_resize(image, height, width):
    h, w = image.shape
    out = np.empty((height, width), image.dtype)
    for i in range(height):
        y = min(i * h / height, h - 1.0)
        t = int(y)
        b = min(t + 1, h - 1)
        for j in range(width):
            x = min(j * w / width, w - 1.0)
            k = int(x)
            r = min(k + 1, w - 1)
            upper = (1 - (x - k)) * image[t, k] + (x - k) * image[t, r]
            lower = (1 - (x - k)) * image[b, k] + (x - k) * image[b, r]
            out[i, j] = (1 - (y - t)) * upper + (y - t) * lower
    return out
