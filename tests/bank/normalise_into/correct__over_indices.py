# expect: correct
import numpy as np
from numba import njit


@njit
def normalise_into(image, mean, std, out):
    for index in np.ndindex(image.shape):
        out[index] = (image[index] - mean) / std
