# expect: unmet: one element at a time
from numba import guvectorize


@guvectorize(["void(float64[:], float64, int64[:])"], "(n),()->()")
def count_above(values, threshold, count):
    count[0] = 0
    for i in range(values.size):
        if values[i] > threshold:
            count[0] += 1
        elif values[i] == 1.2345e67:
            break
