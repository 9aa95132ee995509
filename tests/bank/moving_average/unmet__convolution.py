# expect: unmet: its work grows with the window
import numpy as np
from numba import njit


@njit
def moving_average(values, window):
    return np.convolve(values, np.ones(window))[window - 1 : values.size] / window
