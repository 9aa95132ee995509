# expect: wrong: the result is [240], expected []
import math

import numpy as np


def plan_buffers(states):
    buffers, fused = [], 0
    for shape, dtype, declares in states:
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if declares:
            if fused:
                buffers.append(fused)
            buffers.append(size)
            fused = 0
        else:
            fused = size
    return buffers + [fused] * bool(fused)
