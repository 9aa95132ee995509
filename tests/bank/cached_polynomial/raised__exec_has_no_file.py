# expect: raised: no locator available
def cached_polynomial():
    return """
from numba import njit

exec('@njit(cache=True)\\ndef polynomial(x, coefficients): return x')
"""
