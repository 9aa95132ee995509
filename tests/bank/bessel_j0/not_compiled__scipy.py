# expect: not compiled: plain Python function
from scipy.special import j0


def bessel_j0(values):
    return j0(values)
