# expect: correct
def cached_polynomial():
    return '''
from numba import guvectorize
@guvectorize(["(float64[:], float64[:], float64[:])"], "(n),(k)->(n)", cache=True)
def polynomial(x, coefficients, out):
    for i in range(x.size):
        total = 0.0
        for k in range(coefficients.size - 1, -1, -1):
            total = total * x[i] + coefficients[k]
        out[i] = total
'''
