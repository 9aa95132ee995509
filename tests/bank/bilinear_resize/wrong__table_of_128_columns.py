# expect: wrong: the result has 0.0 at [0, 128]
import numpy as np
from numba import njit

TABLE = 128


@njit
def place(k, new, old):
    centre = min(max((k + 0.5) * old / new - 0.5, 0.0), old - 1.0)
    return int(centre), min(int(centre) + 1, old - 1), centre - int(centre)


@njit
def bilinear_resize(image, height, width):
    lefts, rights, weights = np.zeros(TABLE, np.int64), np.zeros(TABLE, np.int64), np.zeros(TABLE)
    for j in range(min(width, TABLE)):
        lefts[j], rights[j], weights[j] = place(j, width, image.shape[1])
    out = np.zeros((height, width), image.dtype)
    for i in range(height):
        top, bottom, below = place(i, height, image.shape[0])
        for j in range(min(width, TABLE)):
            left, right, across = lefts[j], rights[j], weights[j]
            upper = (1 - across) * image[top, left] + across * image[top, right]
            lower = (1 - across) * image[bottom, left] + across * image[bottom, right]
            out[i, j] = (1 - below) * upper + below * lower
    return out
