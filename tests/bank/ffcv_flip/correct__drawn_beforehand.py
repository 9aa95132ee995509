# expect: correct
import numpy as np
from numba import njit, prange

from numba_course.pipeline import AllocationQuery, Operation, uniform


@njit
def chosen(key, indices):
    flips = np.empty(len(indices), np.bool_)
    for i in range(len(indices)):
        flips[i] = uniform(key, indices[i]) < 0.5
    return flips


class ffcv_flip(Operation):
    def __init__(self, key):
        self.key = key

    def declare_state_and_memory(self, state):
        return state, AllocationQuery(list(state.shape), state.dtype)

    def generate_code(self):
        key = self.key

        def flip(images, dst, indices):
            flips = chosen(key, indices)
            for i in prange(len(images)):
                dst[i] = images[i, :, ::-1] if flips[i] else images[i, :, :]
            return dst

        flip.is_parallel = True
        flip.with_indices = True
        return flip
