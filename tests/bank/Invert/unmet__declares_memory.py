# expect: unmet: it declares memory
import numpy as np

from numba_course.pipeline import AllocationQuery, Operation, image, uniform


class Invert(Operation):
    def __init__(self, probability=0.5):
        self.probability = probability

    def declare_state_and_memory(self, state):
        return state, AllocationQuery(state.shape, np.dtype(np.float32))

    def generate_code(self):
        probability = self.probability

        @image
        def invert(source, out, key):
            white, sign = (255.0, -1.0) if uniform(key, 0) < probability else (0.0, 1.0)
            for y in range(out.shape[0]):
                for x in range(out.shape[1]):
                    for c in range(3):
                        out[y, x, c] = white + sign * source[y, x, c]

        return invert
