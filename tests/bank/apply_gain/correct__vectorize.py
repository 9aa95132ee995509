# expect: correct
from numba import vectorize


@vectorize(["float32(float32, float32)"])
def apply_gain(pixel, gain):
    return pixel * gain
