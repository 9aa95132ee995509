# expect: correct
from numba import guvectorize


@guvectorize(["void(float64[:], float64[:])"], "(n)->()")
def sum_of_squares(values, total):
    total[0] = 0.0
    for value in values:
        total[0] += value * value
