# expect: unmet: it calls Python, where nothing is seen
import numpy as np
from numba import njit, objmode


@njit
def moving_average(values, window):
    with objmode(means="float64[:]"):
        means = np.convolve(values, np.ones(window), "valid") / window
    return means
