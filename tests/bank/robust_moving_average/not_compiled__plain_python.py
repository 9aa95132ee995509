# expect: not compiled: plain Python function
import numpy as np


def robust_moving_average(values, window):
    return np.array([sum(values[i : i + window]) / window for i in range(values.size - window + 1)])
