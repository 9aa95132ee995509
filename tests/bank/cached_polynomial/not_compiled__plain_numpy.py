# expect: not compiled: plain Python function
def cached_polynomial():
    return """
import numpy as np


def polynomial(x, coefficients):
    return np.polynomial.polynomial.polyval(x, coefficients) if coefficients.size else np.zeros(x.size)
"""
