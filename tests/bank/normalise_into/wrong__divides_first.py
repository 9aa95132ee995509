# expect: wrong: out
from numba import njit


@njit
def normalise_into(image, mean, std, out):
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            out[i, j] = image[i, j] / std - mean
