# expect: not compiled: plain Python function
def cached_polynomial():
    return """
import pathlib

import numpy as np
from numba import njit

seen = pathlib.Path(__file__).with_name("seen")


def polynomial(x, coefficients):
    return np.polynomial.polynomial.polyval(x, coefficients) if coefficients.size else np.zeros(x.size)


if not seen.exists():
    seen.touch()
    njit(cache=True)(lambda x: x)(1.0)
"""
