# expect: not compiled: plain Python function
import numpy as np


def apply_gain(image, gain):
    return image * np.float32(gain)
