# expect: correct
import numpy as np
from numba import float32, njit


@njit
def amplify(row, factor):
    for j in range(row.size):
        row[j] *= factor


@njit
def apply_gain(image, gain):
    out = image.copy()
    factor = float32(gain)
    for i in range(out.shape[0]):
        amplify(out[i], factor)
    return out
