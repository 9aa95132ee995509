# expect: correct
import numpy as np
from numba import njit


@njit
def apply_gain(image, gain):
    gain = np.float32(gain)
    rows, columns = image.shape
    out = np.zeros((rows, columns), dtype=np.float32)
    for i in range(rows):
        out[i] = image[i] * gain
    return out
