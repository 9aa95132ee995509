# expect: unmet: Numba finds no loop to share
from dataclasses import replace

from numba_course.pipeline import AllocationQuery, Operation, uniform


class ffcv_flip(Operation):
    def __init__(self, key):
        self.key = key

    def declare_state_and_memory(self, state):
        return replace(state, jit_mode=True), AllocationQuery(state.shape, state.dtype)

    def generate_code(self):
        key = self.key

        def flip(images, dst, indices):
            for i in range(len(indices)):
                if uniform(key, indices[i]) < 0.5:
                    dst[i] = images[i, :, ::-1]
                else:
                    dst[i] = images[i]
            return dst

        flip.is_parallel = True
        flip.with_indices = True
        return flip
