# expect: raised: generate_code must return a function marked by @move, @point
from numba_course.pipeline import Operation, point, uniform


class Invert(Operation):
    """Turn an image into its negative, with a probability."""

    def __init__(self, probability=0.5):
        self.probability = probability

    def generate_code(self):
        probability = self.probability

        def invert(r, g, b, key):
            if uniform(key, 0) < probability:
                return 255.0 - r, 255.0 - g, 255.0 - b
            return r, g, b

        return invert
