# expect: unmet: it reaches outside an array
from numba import njit


@njit
def normalise_into(image, mean, std, out):
    for i in range(image.shape[0]):
        for j in range(image.shape[1] + 1):
            if j < image.shape[1]:
                out[i, j] = (image[i, j] - mean) / std
            elif image[i, j] != image[i, j] and j > 10**6:
                out[0, 0] = 0
