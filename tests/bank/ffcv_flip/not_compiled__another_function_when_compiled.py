# expect: not compiled: compiled, the batches
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
        half = 1.0 if Compiler.is_enabled else 0.5

        def flip(images, dst, indices):
            for i in my_range(images.shape[0]):
                flips = uniform(key, indices[i]) < half
                for y in range(images.shape[1]):
                    for x in range(images.shape[2]):
                        for c in range(3):
                            dst[i, y, x, c] = images[i, y, -1 - x if flips else x, c]
            return dst

        flip.is_parallel = True
        flip.with_indices = True
        return flip
