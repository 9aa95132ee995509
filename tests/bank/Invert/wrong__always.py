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
            return 255.0 - r, 255.0 - g, 255.0 - b

        return invert
