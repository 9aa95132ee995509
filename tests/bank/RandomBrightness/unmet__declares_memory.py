# expect: unmet: it declares memory
import numpy as np

from numba_course.pipeline import AllocationQuery, Operation, State, image, uniform


class RandomBrightness(Operation):
    """Add to a whole image one number, drawn from -amount to amount, and clip to 0..255."""

    def __init__(self, amount=32.0):
        self.amount = amount

    def declare_state_and_memory(self, state):
        dtype = np.dtype(np.float32)
        return State(state.shape, dtype), AllocationQuery(state.shape, dtype)

    def generate_code(self):
        amount = float(self.amount)

        @image
        def brighten(source, out, key):
            change = amount * (2.0 * uniform(key, 0) - 1.0)
            for y in range(out.shape[0]):
                for x in range(out.shape[1]):
                    for c in range(3):
                        out[y, x, c] = min(max(source[y, x, c] + change, 0.0), 255.0)

        return brighten
