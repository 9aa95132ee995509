# expect: wrong: expected
import numpy as np
from numba import njit


@njit
def bilinear_resize(image, height, width):
    h, w = image.shape
    out = np.empty((height, width), image.dtype)
    for i in range(height):
        y = (i + 0.5) * h / height - 0.5
        t = min(max(int(y), 0), max(h - 2, 0))
        b = min(t + 1, h - 1)
        for j in range(width):
            x = (j + 0.5) * w / width - 0.5
            k = min(max(int(x), 0), max(w - 2, 0))
            r = min(k + 1, w - 1)
            upper = (1 - (x - k)) * image[t, k] + (x - k) * image[t, r]
            lower = (1 - (x - k)) * image[b, k] + (x - k) * image[b, r]
            out[i, j] = (1 - (y - t)) * upper + (y - t) * lower
    return out
