# expect: unmet: allocates memory
from numba import njit


@njit
def normalise_into(image, mean, std, out):
    for i in range(image.shape[0]):
        out[i] = (image[i] - mean) / std
