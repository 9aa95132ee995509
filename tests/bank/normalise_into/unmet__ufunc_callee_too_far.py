# expect: unmet: it reaches outside an array
from numba import guvectorize, njit


@guvectorize(["void(float32[:], float64, float64, float32[:])"], "(n),(),()->(n)")
def row(image, mean, std, out):
    following = image[0]
    for j in range(image.size):
        current, following = following, image[j + 1]
        out[j] = (current - mean) / std


@njit
def normalise_into(image, mean, std, out):
    for i in range(image.shape[0]):
        if image.shape[1]:
            row(image[i], mean, std, out[i])
