# expect: wrong: comes out
import numpy as np

from numba_course.pipeline import AllocationQuery, Operation
from numba_course.pipeline.batchwise import Compiler


class ffcv_flip(Operation):
    def __init__(self, key):
        self.key = key

    def declare_state_and_memory(self, state):
        return state, AllocationQuery(state.shape, state.dtype)

    def generate_code(self):
        my_range = Compiler.get_iterator()

        def flip(images, dst):
            flips = np.random.rand(images.shape[0]) < 0.5  # noqa: NPY002
            for i in my_range(images.shape[0]):
                dst[i] = images[i, :, ::-1] if flips[i] else images[i]
            return dst

        flip.is_parallel = True
        return flip
