# expect: correct
import numpy as np
from numba import njit


@njit
def bilinear_resize(image, height, width):
    h, w = image.shape
    across = np.empty((h, width))
    for i in range(h):
        across[i] = np.interp((np.arange(width) + 0.5) * w / width - 0.5, np.arange(w), image[i])
    out = np.empty((height, width), image.dtype)
    for j in range(width):
        out[:, j] = np.interp((np.arange(height) + 0.5) * h / height - 0.5, np.arange(h), across[:, j])
    return out
