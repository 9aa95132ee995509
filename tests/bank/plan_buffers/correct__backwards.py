# expect: correct
import numpy as np

BYTES = {"uint8": 1, "float32": 4, "float64": 8}


def plan_buffers(states):
    needed, plan = False, []
    for (height, width, channels), dtype, declares in reversed(states):
        if declares or needed:
            plan.append(np.int64(height * width * channels * BYTES[dtype]))
        needed = declares
    return plan[::-1]
