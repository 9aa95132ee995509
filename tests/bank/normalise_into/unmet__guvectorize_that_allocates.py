# expect: unmet: allocates memory
from numba import guvectorize


@guvectorize(["void(float32[:, :], float64, float64, float32[:, :])"], "(m,n),(),()->(m,n)")
def normalise_into(image, mean, std, out):
    out[:] = (image - mean) / std
