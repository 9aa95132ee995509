# expect: correct
from numba import float32, njit, vectorize


@vectorize("float32(float32, float32, float32)")
def scaled(x, mean, std):
    return (x - mean) / std


@njit
def normalise_into(image, mean, std, out):
    scaled(image, float32(mean), float32(std), out)
