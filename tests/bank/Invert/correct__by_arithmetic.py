# expect: correct
from numba_course.pipeline import Operation, point, uniform


class Invert(Operation):
    """Turn an image into its negative, with a probability."""

    def __init__(self, probability=0.5):
        self.probability = probability

    def generate_code(self):
        probability, white = self.probability, 255.0

        @point
        def invert(r, g, b, key):
            sign, base = (-1.0, white) if uniform(key, 0) < probability else (1.0, 0.0)
            return base + sign * r, base + sign * g, base + sign * b

        return invert
