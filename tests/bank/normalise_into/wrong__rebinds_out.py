# expect: wrong: out
import numpy as np
from numba import njit


@njit
def normalise_into(image, mean, std, out):
    out = ((image - mean) / std).astype(np.float32)
    return out
