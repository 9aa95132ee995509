# expect: wrong: expected 7.0
from numba_course.pipeline import Operation, point, uniform


class Invert(Operation):
    probability = 0.5

    def __init__(self, probability=0.5):
        Invert.probability = probability

    def generate_code(self):
        p = Invert.probability

        @point
        def invert(r, g, b, key):
            if uniform(key, 0) < p:
                return 255.0 - r, 255.0 - g, 255.0 - b
            return r, g, b

        return invert
