# expect: wrong: the result has shape (1,), expected (0,)
import math

import numpy as np


def plan_buffers(states):
    buffers, fused = [], 0
    for shape, dtype, declares in states:
        size = math.prod(shape) * np.dtype(dtype).itemsize
        buffers.append(size)
    return buffers
