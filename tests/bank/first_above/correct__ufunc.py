# expect: correct
from numba import guvectorize


@guvectorize(["void(float64[:], float64, int64[:])"], "(n),()->()")
def first_above(values, threshold, index):
    index[0] = -1
    for i in range(values.size):
        if values[i] > threshold:
            index[0] = i
            break
