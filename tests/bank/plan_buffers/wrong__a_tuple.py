# expect: wrong: it returned a value of type tuple where a list is asked
import math

import numpy as np


def plan_buffers(states):
    buffers, fused = (), ()
    for shape, dtype, declares in states:
        size = math.prod(shape) * np.dtype(dtype).itemsize
        buffers += (*fused, size) if declares else ()
        fused = () if declares else (size,)
    return buffers
