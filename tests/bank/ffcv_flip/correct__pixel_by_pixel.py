# expect: correct
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
            height, width, channels = images.shape[1:]
            for i in my_range(images.shape[0]):
                flips = uniform(key, indices[i]) < 0.5
                for y in range(height):
                    for x in range(width):
                        source = width - 1 - x if flips else x
                        for c in range(channels):
                            dst[i, y, x, c] = images[i, y, source, c]
            return dst

        flip.is_parallel = True
        flip.with_indices = True
        return flip
