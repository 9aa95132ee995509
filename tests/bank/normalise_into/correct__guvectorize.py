# expect: correct
from numba import guvectorize


@guvectorize(["void(float32[:, :], float64, float64, float32[:, :])"], "(m,n),(),()->(m,n)")
def normalise_into(image, mean, std, out):
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            out[i, j] = (image[i, j] - mean) / std
