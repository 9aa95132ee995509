# expect: correct
import numpy as np
from numba import njit


@njit
def bilinear_resize(image, height, width):
    h, w = image.shape
    one = image.dtype.type(1)
    out = np.empty((height, width), image.dtype)
    for i in range(height):
        y = (i + 0.5) * h / height - 0.5
        t = int(np.floor(y))
        b = image.dtype.type(y - t)
        t0, t1 = max(t, 0), min(max(t + 1, 0), h - 1)
        for j in range(width):
            x = (j + 0.5) * w / width - 0.5
            k = int(np.floor(x))
            a = image.dtype.type(x - k)
            l0, l1 = max(k, 0), min(max(k + 1, 0), w - 1)
            upper = (one - a) * image[t0, l0] + a * image[t0, l1]
            lower = (one - a) * image[t1, l0] + a * image[t1, l1]
            out[i, j] = (one - b) * upper + b * lower
    return out
