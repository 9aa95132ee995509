# expect: correct
from numba_course.pipeline import Operation, gather, uniform


class Invert(Operation):
    """Turn an image into its negative, with a probability."""

    def __init__(self, probability=0.5):
        self.probability = probability

    def generate_code(self):
        probability = self.probability

        @gather
        def invert(load, y, x, c, key):
            if uniform(key, 0) < probability:
                return 255.0 - load(y, x, c)
            return load(y, x, c)

        return invert
