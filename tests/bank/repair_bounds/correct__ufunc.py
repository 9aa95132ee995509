# expect: correct
from numba import guvectorize


@guvectorize(["void(float64[:], int64[:])"], "(n)->()")
def repair_bounds(values, count):
    count[0] = 1
    while count[0] < values.size and values[count[0]] >= values[count[0] - 1]:
        count[0] += 1
