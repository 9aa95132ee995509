# expect: unmet: is computed in float64
import numpy as np
from numba import vectorize


@vectorize
def apply_gain(pixel, gain):
    return np.float32(pixel * gain)
