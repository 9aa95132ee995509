# expect: wrong: it changed its argument `states`
import math

import numpy as np


def plan_buffers(states):
    buffers, fused = [], 0
    while states:
        shape, dtype, declares = states.pop(0)
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if declares:
            if fused:
                buffers.append(fused)
            buffers.append(size)
            fused = 0
        else:
            fused = size
    return buffers
