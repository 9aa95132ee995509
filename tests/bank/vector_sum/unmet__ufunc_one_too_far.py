# expect: unmet: it reaches outside an array
from numba import guvectorize


@guvectorize(["void(float64[:], float64[:])"], "(n)->()", fastmath={"reassoc"})
def vector_sum(values, total):
    result = 0.0
    for i in range(values.size + 1):
        result += values[i] if i < values.size else 0.0 * (values[i] == 0.5)
    total[0] = result
