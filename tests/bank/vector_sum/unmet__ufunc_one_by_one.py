# expect: unmet: one element at a time
from numba import guvectorize


@guvectorize(["void(float64[:], float64[:])"], "(n)->()")
def vector_sum(values, total):
    total[0] = 0.0
    for i in range(values.size):
        total[0] += values[i]
