# expect: correct
from numba import vectorize


@vectorize("float32(float32, float32, float32)")
def scaled(x, mean, std):
    return (x - mean) / std


def normalise_into(image, mean, std, out):
    scaled(image, mean, std, out)
