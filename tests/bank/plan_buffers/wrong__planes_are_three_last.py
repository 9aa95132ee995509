# expect: wrong: the result
import numpy as np


def plan_buffers(states):
    buffers, fused = [], None
    for shape, dtype, declares in states:
        size = shape[0] * shape[1] * 3 * np.dtype(dtype).itemsize
        if declares and fused:
            buffers.append(fused)
        if declares:
            buffers.append(size)
        fused = None if declares else size
    return buffers
