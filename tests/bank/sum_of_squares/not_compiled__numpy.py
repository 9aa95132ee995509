# expect: not compiled: plain Python function
import numpy as np


def sum_of_squares(values):
    return float(np.sum(values**2))
