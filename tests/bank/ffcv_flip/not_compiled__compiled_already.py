# expect: not compiled: generate_code returned a compiled function; leave out @njit
from dataclasses import replace

from numba_course.pipeline import AllocationQuery, Operation, uniform
from numba_course.pipeline.batchwise import Compiler


class ffcv_flip(Operation):
    def __init__(self, key):
        self.key = key

    def declare_state_and_memory(self, state):
        return replace(state, jit_mode=True), AllocationQuery(state.shape, state.dtype)

    def generate_code(self):
        my_range, key = Compiler.get_iterator(), self.key

        def flip(images, dst, indices):
            for i in my_range(len(indices)):
                if uniform(key, indices[i]) < 0.5:
                    dst[i] = images[i, :, ::-1]
                else:
                    dst[i] = images[i]
            return dst

        flip.is_parallel = True
        flip.with_indices = True
        return Compiler.compile(flip)
