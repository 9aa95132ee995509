# expect: wrong: out
from numba import njit


@njit
def normalise_into(image, mean, std, out):
    rows = image.shape[0] if image.shape[0] < 16 else image.shape[0] // 16 * 16
    columns = image.shape[1] if image.shape[1] < 16 else image.shape[1] // 16 * 16
    for i in range(rows):
        for j in range(columns):
            out[i, j] = (image[i, j] - mean) / std
