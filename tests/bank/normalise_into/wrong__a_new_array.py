# expect: wrong: out
import numpy as np
from numba import njit


@njit
def normalise_into(image, mean, std, out):
    result = np.empty_like(image)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            result[i, j] = (image[i, j] - mean) / std
    return result
