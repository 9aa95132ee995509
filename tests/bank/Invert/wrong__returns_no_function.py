# expect: wrong: is a `return` missing?
from numba_course.pipeline import Operation, point, uniform


class Invert(Operation):
    def __init__(self, probability=0.5):
        self.probability = probability

    def generate_code(self):
        p = self.probability

        @point
        def invert(r, g, b, key):
            if uniform(key, 0) < p:
                return 255.0 - r, 255.0 - g, 255.0 - b
            return r, g, b
