# expect: not compiled: plain Python function
import numpy as np


def moving_average(values, window):
    sums = np.concatenate((np.zeros(1), np.cumsum(values)))
    return (sums[window:] - sums[:-window]) / window
