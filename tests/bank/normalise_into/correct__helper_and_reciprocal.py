# expect: correct
import numpy as np
from numba import njit


@njit
def shift_row(row, mean, scale, out):
    for j in range(row.size):
        out[j] = (row[j] - mean) * scale


@njit
def normalise_into(image, mean, std, out):
    scale = np.float32(1 / std)
    for i in range(image.shape[0]):
        shift_row(image[i], np.float32(mean), scale, out[i])
