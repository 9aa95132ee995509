# expect: wrong: it returned float32
import numpy as np
from numba import njit


@njit
def bilinear_resize(image, height, width):
    h, w = image.shape
    out = np.empty((height, width), np.float32)
    for i in range(height):
        y = min(max((i + 0.5) * h / height - 0.5, 0.0), h - 1.0)
        t = int(y)
        b = min(t + 1, h - 1)
        for j in range(width):
            x = min(max((j + 0.5) * w / width - 0.5, 0.0), w - 1.0)
            k = int(x)
            r = min(k + 1, w - 1)
            upper = (1 - (x - k)) * image[t, k] + (x - k) * image[t, r]
            lower = (1 - (x - k)) * image[b, k] + (x - k) * image[b, r]
            out[i, j] = (1 - (y - t)) * upper + (y - t) * lower
    return out
