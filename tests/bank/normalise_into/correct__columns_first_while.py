# expect: correct
from numba import njit


@njit
def normalise_into(image, mean, std, out):
    j = 0
    while j < image.shape[1]:
        for i in range(len(image)):
            out[i, j] = (image[i, j] - mean) / std
        j += 1
