# expect: wrong: the result is [240], expected []
import math

import numpy as np


def plan_buffers(states):
    buffers, fused = [], 0
    for shape, dtype, declares in states:
        size = math.prod(shape) * np.dtype(dtype).itemsize
        buffers.append(size)
    return buffers
