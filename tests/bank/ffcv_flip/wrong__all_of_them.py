# expect: wrong: comes out flipped, expected as it was
from dataclasses import replace

from numba_course.pipeline import AllocationQuery, Operation
from numba_course.pipeline.batchwise import Compiler


class ffcv_flip(Operation):
    def __init__(self, key):
        self.key = key

    def declare_state_and_memory(self, state):
        return replace(state, jit_mode=True), AllocationQuery(state.shape, state.dtype)

    def generate_code(self):
        my_range = Compiler.get_iterator()

        def flip(images, dst, indices):
            for i in my_range(len(indices)):
                dst[i] = images[i, :, ::-1]
            return dst

        flip.is_parallel = True
        flip.with_indices = True
        return flip
