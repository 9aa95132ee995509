# expect: unmet: it reaches outside an array
from numba import guvectorize


@guvectorize(["void(float64[:], int64[:])"], "(n)->()")
def repair_bounds(values, result):
    count = 1
    while values[count] >= values[count - 1] and count < values.size:
        count += 1
    result[0] = count
