# expect: not compiled: step 1, Invert(probability=0.5), written in
import numpy as np

from numba_course.pipeline import Operation, point, uniform


class Invert(Operation):
    """Turn an image into its negative, with a probability."""

    def __init__(self, probability=0.5):
        self.probability = probability

    def generate_code(self):
        probability = self.probability

        @point
        def invert(r, g, b, key):
            if uniform(key, 0) < probability:
                return 255.0 - r, 255.0 - g, 255.0 - b
            return r.astype(np.uint8), g.astype(np.uint8), b.astype(np.uint8)

        return invert
