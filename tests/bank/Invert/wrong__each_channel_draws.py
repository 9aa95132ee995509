# expect: wrong: the result has
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
                r = 255.0 - r
            if uniform(key, 1) < probability:
                g = 255.0 - g
            if uniform(key, 2) < probability:
                b = 255.0 - b
            return r, g, b

        return invert
