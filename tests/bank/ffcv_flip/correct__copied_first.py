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
            for i in my_range(len(indices)):
                row, flipped = dst[i].reshape(-1), uniform(key, indices[i]) < 0.5
                for place, value in enumerate(images[i].flat):
                    row[place] = value
                for y in range(images.shape[1] if flipped else 0):
                    for x in range(images.shape[2]):
                        for c in range(3):
                            dst[i, y, x, c] = images[i, y, -1 - x, c]
            return dst

        flip.is_parallel = True
        flip.with_indices = True
        return flip
