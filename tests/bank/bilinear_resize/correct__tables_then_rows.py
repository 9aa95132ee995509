# expect: correct
import numpy as np
from numba import njit


@njit
def plan(old, new):
    places = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    whole = places.astype(np.int64)
    return whole, places - whole


@njit
def bilinear_resize(image, height, width):
    h, w = image.shape
    left, across = plan(w, width)
    top, below = plan(h, height)
    rows = np.empty((h, width))
    for i in range(h):
        for j in range(width):
            k = left[j]
            rows[i, j] = image[i, k] + across[j] * (image[i, min(k + 1, w - 1)] - image[i, k])
    out = np.empty((height, width), image.dtype)
    for i in range(height):
        k = top[i]
        out[i] = rows[k] + below[i] * (rows[min(k + 1, h - 1)] - rows[k])
    return out
