# expect: correct
from numba import guvectorize


@guvectorize(["void(float64[:], float64[:])"], "(n)->(n)")
def double(values, out):
    for i in range(values.size):
        out[i] = 2 * values[i]
